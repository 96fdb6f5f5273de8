"""HTTP/2 for many small POSTs (RFC 9113), on Python's `ssl`: what leaves goes in one write a turn."""

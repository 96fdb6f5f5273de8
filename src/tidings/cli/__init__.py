"""The command line: one file per command; every management command is a client of the REST API."""

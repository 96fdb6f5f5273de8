"""The HTTP face: the REST API, what subscribers' browsers call, the reference, and the dashboard's files."""

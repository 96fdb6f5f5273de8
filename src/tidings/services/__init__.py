"""Managing the nouns: what the REST API, the dashboard and the command line do, without any of the three."""

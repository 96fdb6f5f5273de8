"""Webhook: messages as signed JSON to a server of your own, which reaches what no push service does."""

"""The ports of the store, a file for each group of nouns: what a transaction offers for it."""

"""The tables, a file for each group of nouns, with explicit names for their constraints and indexes."""

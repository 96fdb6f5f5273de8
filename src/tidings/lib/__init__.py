"""Tools that know nothing of push: another project could use them unchanged."""

"""A provider that speaks to nobody, and a push service that answers by script: for unit tests."""

"""The one-way flow of a notification, one file a stage; `flow.py` is the table of contents."""

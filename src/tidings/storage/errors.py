"""Why storage refuses to start or to copy: what happened, and how to mend it."""

from __future__ import annotations


class StoreRefused(Exception):
    """The database is not in a state to be used; `mend` says what to do."""

    def __init__(self, what: str, *, mend: str) -> None:
        super().__init__(f"{what} {mend}")
        self.what = what
        self.mend = mend

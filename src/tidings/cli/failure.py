"""How a command fails: one line why, one line how to mend."""

from __future__ import annotations


class CommandFailed(Exception):
    """A command could not do what it was asked; `code` is the catalogue's, or empty."""

    def __init__(self, why: str, mend: str = "", *, code: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.mend = mend
        self.code = code

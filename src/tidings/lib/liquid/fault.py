"""The one error of templates."""

from __future__ import annotations


class LiquidFault(ValueError):
    """What is wrong with a template, or with what it was handed; `line` counts from 1."""

    def __init__(self, words: str, line: int = 1) -> None:
        super().__init__(words)
        self.words = words.encode("utf-8", "backslashreplace").decode()  # it may quote half of a surrogate pair
        self.line = line

    def __str__(self) -> str:
        return self.words if self.line == 1 else f"Line {self.line}: {self.words}"

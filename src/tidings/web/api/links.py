"""Links, pictures and texts in bodies: what a browser or an app may open, and what people may be shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from tidings.domain.content import LONGEST_LINK, image_fault, link_fault, text_fault


def _checked(fault: str | None, value: str) -> str:
    if fault is not None:
        raise ValueError(fault)
    return value


def checked_link(value: str) -> str:
    """Take a link that a browser may open: https, or http of this machine. Raises ValueError."""
    return _checked(link_fault(value), value)


def checked_image(value: str) -> str:
    """Take the address of a picture: https. Raises ValueError."""
    return _checked(image_fault(value), value)


def checked_line(value: str) -> str:
    """Take a text of one line that misleads nobody. Raises ValueError."""
    return _checked(text_fault(value, one_line=True), value)


def checked_text(value: str) -> str:
    """Take a text that misleads nobody. Raises ValueError."""
    return _checked(text_fault(value, one_line=False), value)


Link = Annotated[str, StringConstraints(max_length=LONGEST_LINK), AfterValidator(checked_link)]
Image = Annotated[str, StringConstraints(max_length=LONGEST_LINK), AfterValidator(checked_image)]
Title = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(checked_line)
]
Text = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(checked_text)]

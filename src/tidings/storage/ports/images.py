"""The port of uploaded pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tidings.domain.image import Image, NewImage


class Images(Protocol):
    """Pictures by id; the same bytes are kept once in an App."""

    def add(self, app_id: int, new: NewImage, *, public_id: str, now: datetime) -> Image: ...
    def by_content(self, app_id: int, sha256: bytes) -> Image | None: ...
    def get(self, app_id: int, public_id: str) -> Image | None: ...
    def find(self, public_id: str) -> Image | None:
        """Find it whichever App it is of, unless that is being erased."""
        ...

    def data(self, image_id: int) -> bytes | None: ...
    def page(self, app_id: int, *, after: int, limit: int) -> list[Image]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def total(self, app_id: int) -> tuple[int, int]:
        """Give how many an App has, and their bytes together."""
        ...

    def touch(self, image_id: int, *, now: datetime) -> None:
        """Write down that it is used."""
        ...

    def delete(self, image_id: int) -> None: ...
    def purge(self, *, before: datetime, limit: int) -> int:
        """Remove some that nobody has used since then; give how many."""
        ...

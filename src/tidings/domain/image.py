"""Uploaded pictures: what is kept of one, and how many an App may have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_IMAGES = 1_000
MOST_BYTES = 256 * 1024 * 1024
"""Pictures of one App, and bytes of them together."""

TOUCH_EVERY = timedelta(days=1)
"""That somebody loaded one is written down no more often: it only tells whether it is still used."""

SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
"""Media types that pictures are kept in, and how their addresses end."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """A picture as it was written anew; `sha256` are 32 bytes of `data`, `width` and `height` are pixels."""

    data: bytes
    sha256: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of a stored picture; `size` in bytes. `used_at` is when it was last uploaded or loaded."""

    id: int
    public_id: str
    app_id: int
    media_type: str
    width: int
    height: int
    size: int
    created_at: datetime
    used_at: datetime

    @property
    def name(self) -> str:
        """The last part of its public address."""
        return f"{self.public_id}.{SUFFIXES[self.media_type]}"

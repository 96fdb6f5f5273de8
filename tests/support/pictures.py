"""Pictures as people and attackers send them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: Any) -> bytes:
    """A picture of one colour."""
    into = io.BytesIO()
    colour = (200, 40, 40, 128)[: len(Image.new(mode, (1, 1)).getbands())] if mode != "P" else 3
    Image.new(mode, size, colour).save(into, form, **more)
    return into.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG of few bytes that says it has very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9_999))) + chunk(b"IEND", b"")
    )

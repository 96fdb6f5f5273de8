"""Pictures of strangers: read by Pillow within limits and written anew, so that nothing but pixels is left of them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 16_000_000
MOST_JPEG_PIXELS = 64_000_000
"""Before anything is unpacked. A JPEG is unpacked at the size it is needed in, so that photos of telephones fit."""

LONGEST_SIDE = 1_600
"""Pixels of what is kept: twice what the widest notification shows."""

QUALITY = 85
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class UnreadablePicture(ValueError):
    """What was sent is no picture that can be taken; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture written anew, without metadata; `width` and `height` are pixels."""

    data: bytes
    media_type: str
    width: int
    height: int


def picture_from(raw: bytes) -> Picture:
    """Read a JPEG, PNG, WebP or GIF and write it anew; of a moving one the first frame. Raises UnreadablePicture.

    Takes up to a second of one core and 200 MB: call it on a thread, one at a time.
    """
    if not raw:
        raise UnreadablePicture("The body is empty. Send the bytes of the file as they are.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Only these: what else Pillow can read has far more to go wrong.
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                return _written(opened)
    except UnreadablePicture:
        raise
    except UnidentifiedImageError:
        raise UnreadablePicture(_what_it_is(raw)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadablePicture("The picture has too many pixels. Make it smaller and try again.") from None
    except Exception as fault:  # Decoders raise OSError, ValueError, SyntaxError, EOFError, struct.error and others.
        words = "The picture is damaged or cut off: it could not be read to its end. Save it anew and try again."
        raise UnreadablePicture(words) from fault


def _written(opened: Image.Image) -> Picture:
    kind = opened.format or ""
    pixels, most = opened.width * opened.height, MOST_JPEG_PIXELS if kind == "JPEG" else MOST_PIXELS
    if pixels > most:
        words = f"The picture has {opened.width} by {opened.height} pixels; {most // 1_000_000} million are the most."
        raise UnreadablePicture(f"{words} Make it smaller and try again.")
    if kind == "JPEG":
        # In its own proportions: asked for a square, a long and narrow one would be unpacked at its full size.
        longest = max(opened.size)
        wanted = [max(1, LONGEST_SIDE * side // longest) for side in opened.size]
        opened.draft("RGB", (wanted[0], wanted[1]))
    opened.load()
    image = ImageOps.exif_transpose(opened)
    clear = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA")
    image = image.convert("RGBA" if clear and kind != "JPEG" else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    # A fresh one has none of what the file said beside its pixels: place, camera, profile, comments.
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    into, form = io.BytesIO(), "PNG" if kind == "GIF" else kind
    bare.save(into, form, **({"optimize": True} if form == "PNG" else {"quality": QUALITY}))
    return Picture(into.getvalue(), _MEDIA_TYPES[form], bare.width, bare.height)


def _what_it_is(raw: bytes) -> str:
    start = raw[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")) or b"<svg" in start:
        return "This is SVG or another text, which can hold scripts and which no notification shows. Export it as PNG."
    if raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "This is HEIC or AVIF, which many devices do not show. Export it as JPEG."
    return "This is no JPEG, PNG, WebP or GIF. Export it as one of them."

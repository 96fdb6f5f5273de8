"""Pictures that were made to do harm: whatever the bytes, either a picture that is nothing but pixels, or words."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from support.pictures import picture
from tidings.lib.pictures import LONGEST_SIDE, MOST_PIXELS, Picture, UnreadablePicture, picture_from

FORMS = ("JPEG", "PNG", "WEBP", "GIF")
WHOLE = [picture(form, (40, 30)) for form in FORMS] + [
    picture("PNG", (9, 9), mode="RGBA"),
    picture("PNG", (9, 9), mode="P"),
    picture("WEBP", (9, 9), mode="RGBA", lossless=True),
    picture("JPEG", (33, 17), progressive=True),
]
SCRIPT = b"<svg onload=alert(1)><script>alert(2)</script>"


def tried(raw: bytes) -> Picture | None:
    """Give the picture, None where it was refused in words; anything else fails the test."""
    found: Picture | None = None
    with suppress(UnreadablePicture):
        found = picture_from(raw)
    if found is None:
        return None
    with Image.open(io.BytesIO(found.data), formats=["JPEG", "PNG", "WEBP"]) as again:
        again.load()
        assert again.size == (found.width, found.height)
        assert max(again.size) <= LONGEST_SIDE
        assert again.mode in ("RGB", "RGBA")
        assert getattr(again, "n_frames", 1) == 1
        assert not again.getexif()
        assert not {"icc_profile", "comment", "xmp", "exif", "dpi", "XML:com.adobe.xmp"} & set(again.info)
    return found


@settings(max_examples=300)
@given(
    whole=st.sampled_from(WHOLE),
    other=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 2_000), st.binary(min_size=1, max_size=6)), max_size=8),
    cut=st.integers(0, 2_000),
    joined=st.booleans(),
)
def test_a_picture_that_was_changed_at_any_place(
    whole: bytes, other: bytes, changes: list[tuple[int, bytes]], cut: int, joined: bool
) -> None:
    raw = bytearray(whole)
    for place, written in changes:
        start = place % len(raw)
        raw[start : start + len(written)] = written
    if joined:
        raw[cut % len(raw) :] = other
    tried(bytes(raw))


MAGIC = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"RIFF\x40\0\0\0WEBPVP8X",
    b"RIFF\x40\0\0\0WEBPVP8L",
    b"",
)


@settings(max_examples=200)
@given(start=st.sampled_from(MAGIC), rest=st.binary(max_size=200))
def test_any_bytes_behind_the_first_ones_of_a_picture(start: bytes, rest: bytes) -> None:
    tried(start + rest)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    whole = picture("PNG", (20, 20))
    return whole[:33] + b"".join(chunks) + whole[33:]


def webp_of(width: int, height: int) -> bytes:
    """A moving WebP that says it is so large, with one frame that is small."""
    head = struct.pack("<I", 0x02) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = picture("WEBP", (8, 8))[12:]
    frame = bytes(6) + (7).to_bytes(3, "little") * 2 + (100).to_bytes(3, "little") + b"\0" + body
    chunks = b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
        for kind, data in ((b"VP8X", head), (b"ANIM", bytes(6)), (b"ANMF", frame))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def gif_of(width: int, height: int) -> bytes:
    whole = picture("GIF", (8, 8))
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def jpeg_of(width: int, height: int) -> bytes:
    whole = picture("JPEG", (8, 8))
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


@pytest.mark.parametrize(
    "raw",
    [
        webp_of(16_383, 16_383),
        webp_of(16_000, 1_001),
        gif_of(65_535, 65_535),
        gif_of(16_000, 1_001),
        jpeg_of(65_500, 65_500),
        jpeg_of(64_001, 1_000),
    ],
    ids=["webp", "long webp", "gif", "long gif", "jpeg", "long jpeg"],
)
def test_few_bytes_that_say_they_are_very_many_pixels(raw: bytes) -> None:
    assert len(raw) < 3_000
    with pytest.raises(UnreadablePicture, match="pixels"):
        picture_from(raw)


@pytest.mark.parametrize(
    "bomb",
    [
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(200_000_000))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200_000_000))),
        b"".join(chunk(b"zTXt", b"C%d\0\0" % number + zlib.compress(bytes(1_000_000))) for number in range(100)),
    ],
    ids=["zTXt", "iTXt", "iCCP", "many"],
)
def test_words_in_a_picture_that_unpack_to_very_much(bomb: bytes) -> None:
    assert len(bomb) < 300_000
    found = tried(png_with(bomb))
    assert found is None or len(found.data) < 10_000


def test_a_moving_picture_of_very_many_frames_is_one_picture() -> None:
    into = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (number % 255, 0, 0)) for number in range(500)]
    frames[0].save(into, "GIF", save_all=True, append_images=frames[1:], duration=10)
    found = tried(into.getvalue())
    assert found is not None
    assert found.media_type == "image/png"


def polyglots() -> dict[str, bytes]:
    """Pictures that are pages or scripts too, for whoever looks at their bytes alone."""
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SCRIPT.decode())
    words.add_itxt("XML:com.adobe.xmp", SCRIPT.decode())
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    gif = bytearray(picture("GIF", (8, 8), comment=SCRIPT))
    return {
        "a script that begins as a GIF": bytes(gif[:6])
        + b"\x2f\x2a\x01\0"
        + bytes(gif[10:])
        + b"*/=1;alert(1)"
        + SCRIPT,
        "a comment of a GIF": bytes(gif),
        "a comment of a JPEG": picture("JPEG", comment=SCRIPT),
        "EXIF of a JPEG": picture("JPEG", exif=exif),
        "EXIF of a PNG": picture("PNG", exif=exif),
        "EXIF and XMP of a WebP": picture("WEBP", exif=exif, xmp=SCRIPT),
        "text of a PNG": picture("PNG", pnginfo=words),
        "a colour profile": picture("JPEG", icc_profile=SCRIPT * 10),
        "a page behind a PNG": picture("PNG") + b"<!doctype html>" + SCRIPT,
        "an archive behind a WebP": picture("WEBP") + b"PK\x03\x04" + SCRIPT,
        "a chunk of its own": png_with(chunk(b"ruBb", SCRIPT)),
    }


@pytest.mark.parametrize("name", polyglots())
def test_a_picture_that_is_something_else_too_is_only_a_picture_afterwards(name: str) -> None:
    raw = polyglots()[name]
    assert b"<script>" in raw
    found = tried(raw)
    assert found is not None, "it is a picture, and stays one"
    for word in (b"<script", b"<svg", b"alert", b"PK\x03\x04", b"<!doctype"):
        assert word not in found.data


PAGES = [
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"\xef\xbb\xbf<?xml version='1.0'?><svg/>",
    b"<!--" + picture("PNG") + b"--><svg/>",
    b"<html>" + picture("GIF"),
    b"\0" + picture("JPEG"),
    b"\x1f\x8b\x08" + zlib.compress(b"<svg/>"),
]


@pytest.mark.parametrize("raw", PAGES)
def test_a_page_is_no_picture_whatever_hangs_behind_it(raw: bytes) -> None:
    assert tried(raw) is None


def test_the_largest_picture_that_is_taken() -> None:
    side = int(MOST_PIXELS**0.5)
    found = tried(picture("PNG", (side, side)))
    assert found is not None
    assert (found.width, found.height) == (LONGEST_SIDE, LONGEST_SIDE)

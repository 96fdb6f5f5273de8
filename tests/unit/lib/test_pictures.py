"""Pictures: read within limits, written anew, refused with words."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from PIL import Image, ImageOps

from support.pictures import SVG, bomb, picture
from tidings.lib.pictures import LONGEST_SIDE, MOST_PIXELS, UnreadablePicture, picture_from


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/png")],
)
def test_each_format_is_written_anew(form: str, media_type: str) -> None:
    found = picture_from(picture(form))
    assert (found.media_type, found.width, found.height) == (media_type, 64, 48)
    with Image.open(io.BytesIO(found.data)) as again:
        assert again.size == (64, 48)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    assert picture_from(picture("PNG", mode=mode)).media_type == "image/png"


def test_what_is_clear_stays_clear() -> None:
    with Image.open(io.BytesIO(picture_from(picture("PNG", mode="RGBA")).data)) as again:
        assert again.getpixel((3, 3)) == (200, 40, 40, 128)


def test_a_photo_loses_where_it_was_taken_and_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "A camera of somebody"
    raw = picture("JPEG", (400, 200), exif=exif, comment=b"taken at home")
    assert b"somebody" in raw
    found = picture_from(raw)
    assert (found.width, found.height) == (200, 400)
    assert b"somebody" not in found.data
    assert b"at home" not in found.data


def test_what_hangs_behind_a_picture_is_gone() -> None:
    raw = picture("JPEG") + b"<script>alert(1)</script>" + b"PK\x03\x04"
    found = picture_from(raw)
    assert b"<script>" not in found.data
    assert b"PK\x03\x04" not in found.data


@pytest.mark.parametrize("size", [(40_000, 1_590), (1_590, 40_000), (8_000, 8_000)])
def test_a_long_narrow_photo_is_never_unpacked_at_its_full_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[int] = []
    upright = ImageOps.exif_transpose

    def seen(image: Image.Image) -> Image.Image:
        unpacked.append(image.width * image.height)
        return upright(image)

    raw = picture("JPEG", size)
    monkeypatch.setattr(ImageOps, "exif_transpose", seen)
    found = picture_from(raw)
    assert max(found.width, found.height) == LONGEST_SIDE
    assert unpacked[0] <= MOST_PIXELS


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_one_is_made_as_large_as_anybody_shows_it(form: str) -> None:
    found = picture_from(picture(form, (4_000, 2_000)))
    assert (found.width, found.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (SVG, "SVG"),
        (b"\xef\xbb\xbf  <svg/>", "SVG"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC"),
        (b"GIF89a<script>", "no JPEG"),
        (b"%PDF-1.7", "no JPEG"),
        (picture("PNG", (200, 200))[:80], "damaged"),
        (picture("JPEG", (200, 200))[:300], "damaged"),
        (picture("BMP"), "no JPEG"),
        (picture("TIFF"), "no JPEG"),
        (bomb(), "pixels"),
        (bomb(4_500), "pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_words(raw: bytes, words: str) -> None:
    with pytest.raises(UnreadablePicture, match=words):
        picture_from(raw)


def test_any_cut_of_a_picture_is_read_or_refused_and_nothing_else() -> None:
    for whole in (picture("JPEG", (300, 200)), picture("WEBP"), picture("GIF"), picture("PNG", mode="RGBA")):
        for end in range(0, len(whole), max(1, len(whole) // 40)):
            broken = whole[:end] + bytes(reversed(whole[end : end + 7])) + whole[end + 7 :]
            for raw in (whole[:end], broken):
                with suppress(UnreadablePicture):
                    assert picture_from(raw).data

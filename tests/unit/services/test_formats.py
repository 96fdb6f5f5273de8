"""Files of subscriptions, read row by row."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.formats import MAX_LINE, Format, Row, rows_from, tags_from


class Endless(io.RawIOBase):
    """A file without an end, to see that nobody reads it whole."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self.lines = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.lines += 1
        assert self.lines < 10_000
        size = min(len(buffer), len(self._line))
        buffer[:size] = self._line[:size]
        return size


def rows(text: str, format: Format = Format.AUTO) -> list[Row]:
    return list(rows_from(io.BytesIO(text.encode()), format=format))


def endpoints(found: list[Row]) -> list[object]:
    return [row.registration.subscription["endpoint"] if row.registration else row.fault for row in found]


@pytest.mark.parametrize(
    "text",
    [
        '[{"endpoint": "a"}, {"endpoint": "b"}]',
        '{"endpoint": "a"}\n\n{"endpoint": "b"}\n',
        '{"data": [{"endpoint": "a"}, {"subscription": {"endpoint": "b"}}]}',
        '{\n "subscriptions": [\n{"endpoint": "a"}, {"endpoint": "b"}]}',
        "endpoint,p256dh,auth\na,,\nb,,\n",
        "\ufeffendpoint;x,registration_id\r\n1,a\r\n2,b\r\n",
    ],
)
def test_each_way_of_writing_a_file_is_recognised(text: str) -> None:
    assert endpoints(rows(text)) == ["a", "b"]


def test_a_file_without_end_is_read_row_by_row() -> None:
    found: Iterator[Row] = rows_from(io.BufferedReader(Endless(b'{"endpoint": "a"}\n')), format=Format.AUTO)
    assert endpoints([next(found) for _ in range(3)]) == ["a", "a", "a"]


def test_a_device_that_was_off_there_is_not_turned_on_here() -> None:
    off = [
        '"active": false',
        '"active": "f"',
        '"active": "False"',
        '"active": 0',
        '"status": "expired"',
        '"status": "unsubscribed"',
    ]
    for state in off:
        assert rows(f'{{"endpoint": "a", {state}}}')[0].registration is None
    on = ['"active": true', '"active": "True"', '"status": "active"', '"active": null']
    for state in on:
        assert rows(f'{{"endpoint": "a", {state}}}')[0].registration is not None


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"user": "a\x00b"}, "user_id: It has a control character"),
        ({"user": "\ud800"}, "user_id: It has a control character, or half of a character."),
        ({"user": "u" * 201}, "user_id: It has 201 characters; 200 is the most."),
        ({"locale": "l" * 36}, "locale: It has 36 characters"),
        ({"time_zone": "\x1b[31m"}, "time_zone: It has a control character"),
        ({"vapid_key": "\x00"}, "vapid_key: It has a control character"),
        ({"tags": {"t" * 65: "x"}}, "tags: It has 65 characters; 64 is the most."),
        ({"tags": {"plan": "\udfff"}}, "tags: It has a control character"),
    ],
)
def test_what_no_browser_could_send_is_refused_with_its_row(row: dict[str, object], fault: str) -> None:
    found = rows(json.dumps({"endpoint": "a", **row}) + '\n{"endpoint": "b"}')
    assert found[0].registration is None
    assert found[0].fault.startswith(fault)
    assert endpoints(found[1:]) == ["b"]


def test_the_name_of_a_device_is_cut_down_to_what_can_be_shown() -> None:
    (row,) = rows(json.dumps({"endpoint": "a", "device": "\x1b]0;mine\x07Phone" + "e" * 500}))
    assert row.registration is not None
    assert row.registration.device is not None
    assert row.registration.device.startswith("]0;minePhone")
    assert len(row.registration.device) == 200


@pytest.mark.parametrize("heading", [b"", b"endpoint\n"])
def test_a_line_without_end_is_read_in_pieces(heading: bytes) -> None:
    content = heading + b'{"endpoint": "a"}\n' + b"x" * (2 * MAX_LINE + 10)
    found = list(rows_from(io.BytesIO(content), format=Format.AUTO))
    assert all(len(row.fault) < 100 for row in found)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ({"plan": "pro", "n": 1, "none": None}, {"plan": "pro", "n": "1", "none": ""}),
        ('{"plan": "pro"}', {"plan": "pro"}),
        ('["news"]', {"news": "true"}),
        ("news, sport,", {"news": "true", "sport": "true"}),
        ("{broken", {}),
        (None, {}),
        (7, {}),
    ],
)
def test_tags_are_read_in_every_shape(value: object, tags: dict[str, str]) -> None:
    assert tags_from(value) == tags


@example(b'"a', Format.CSV)
@example(b"\xef", Format.JSON)
@example(b"[" * 100_000, Format.JSON)
@example(b'{"endpoint": "a"}\n' + b"[" * 100_000, Format.JSON)
@example(b'{"endpoint": "a", "tags": "' + b"[" * 100_000 + b'"}', Format.JSON)
@given(st.binary(max_size=400), st.sampled_from(Format))
def test_any_bytes_give_rows_or_a_catalogue_error(content: bytes, format: Format) -> None:
    try:
        found = list(rows_from(io.BytesIO(content), format=format))
    except CatalogueError as fault:
        refused: ErrorCode | None = fault.code
    else:
        refused = None
        assert all((row.registration is None) == bool(row.fault) for row in found)
    assert refused in (None, ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_JSON)

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
import structlog

from tidings.lib.log import REDACTED, SECRET_KEYS, Logger, Seldom, configure, cut


class Event(StrEnum):
    SENT = "chunk_sent"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure(json=True, level="INFO", stream=stream)
    return stream


def only(lines: io.StringIO) -> dict[str, Any]:
    [line] = lines.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_an_event_is_one_json_object_with_name_level_logger_and_time(lines: io.StringIO) -> None:
    Logger("tidings.worker").info(Event.SENT, count=3)
    found = only(lines)
    assert found.pop("at").endswith("Z")
    assert found == {"event": "chunk_sent", "level": "info", "logger": "tidings.worker", "count": 3}


@pytest.mark.parametrize("name", sorted(SECRET_KEYS | {"Authorization", "ENDPOINT"}))
def test_secrets_never_reach_the_log(lines: io.StringIO, name: str) -> None:
    Logger("x").info(Event.SENT, **{name: "hush-hush"}, inner={"list": [{name: "hush-hush"}]})
    assert "hush-hush" not in lines.getvalue()
    assert only(lines)["inner"] == {"list": [{name: REDACTED}]}


def test_a_secret_of_the_context_is_redacted_too(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(token="hush-hush", shard=7):
        Logger("x").info(Event.SENT)
    assert only(lines)["token"] == REDACTED
    assert only(lines)["shard"] == 7


def test_an_absent_secret_is_told_from_a_hidden_one(lines: io.StringIO) -> None:
    Logger("x").info(Event.SENT, token=None)
    assert only(lines)["token"] is None


def test_a_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    def fail() -> None:
        local = "hush-" + "hush"
        raise ValueError(f"{len(local)} characters")

    try:
        fail()
    except ValueError as error:
        Logger("x").error(Event.SENT, error=error)
    assert "hush-hush" not in lines.getvalue()
    assert only(lines)["exception"][0]["exc_value"] == "9 characters"


def test_the_standard_librarys_loggers_speak_the_same_way(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn").warning("port %s\nis taken", 8080)
    found = only(lines)
    assert (found["event"], found["level"], found["logger"]) == ("port 8080\\nis taken", "warning", "uvicorn")


def test_what_is_below_the_level_is_not_logged(lines: io.StringIO) -> None:
    Logger("x").debug(Event.SENT)
    assert lines.getvalue() == ""


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no log level"):
        configure(json=True, level="loud")


def test_the_console_shows_the_event_in_one_line_without_colours_when_it_is_no_terminal() -> None:
    stream = io.StringIO()
    configure(json=False, level="INFO", stream=stream)
    Logger("x").warning(Event.SENT, count=3, secret="hush-hush")
    [line] = stream.getvalue().splitlines()
    assert "chunk_sent" in line
    assert "count=3" in line
    assert "hush-hush" not in line
    assert "\x1b" not in line


def test_the_console_shows_a_traceback_without_local_variables() -> None:
    stream = io.StringIO()
    configure(json=False, level="INFO", stream=stream)
    local = "hush-" + "hush"
    try:
        raise ValueError(f"{len(local)} characters")
    except ValueError as error:
        Logger("x").error(Event.SENT, error=error)
    assert "ValueError: 9 characters" in stream.getvalue()
    assert "hush-hush" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("plain", 200, "plain"),
        ("", 200, ""),
        ("zwölf Wörter", 200, "zwölf Wörter"),
        ("a\nb\tc\x1b[31m", 200, r"a\nb\tc\x1b[31m"),
        ("\u202eright to left\u2028", 200, r"\u202eright to left\u2028"),
        (b"bytes", 200, "bytes"),
        (b"\xff\x00", 200, r"\xff\x00"),
        ("x" * 200, 200, "x" * 200),
        ("x" * 201, 200, "x" * 197 + "..."),
        (b"x" * 10_000_000, 200, "x" * 197 + "..."),
        ("\U0001f514".encode() * 10, 10, "\U0001f514" * 10),
        ("\U0001f514".encode() * 11, 10, "\U0001f514" * 7 + "..."),
        ("\n" * 6, 10, r"\n\n\n\n..."[:7] + "..."),
    ],
)
def test_foreign_text_is_cut_and_escaped(text: str | bytes, limit: int, expected: str) -> None:
    found = cut(text, limit)
    assert found == expected
    assert len(found) <= limit
    assert found.isprintable()


def test_a_chatty_library_complains_seldom_and_only_of_errors() -> None:
    moments = iter([100.0, 101.0, 102.0, 161.0])
    seldom = Seldom(60, now=lambda: next(moments))
    levels = (logging.WARNING, logging.ERROR, logging.ERROR, logging.ERROR)
    records = [logging.LogRecord("exporter", level, "", 0, "away", None, None) for level in levels]
    assert [bool(seldom.filter(record)) for record in records] == [False, True, False, True]

"""Files of subscriptions from elsewhere: each row becomes a Registration, or says what is wrong with it.

Read are JSON arrays, NDJSON and CSV with the columns of web-push (`endpoint`, `keys.p256dh`, `keys.auth`), Pushpad
(`uid`, `tags`), OneSignal (`identifier`, `web_p256`, `web_auth`, `external_user_id`, `timezone_id`) and
django-push-notifications (`registration_id`, `user_id`, `active`).
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.services.registration import Registration

MAX_DOCUMENT = 64 * 1024 * 1024
"""Bytes of a JSON array, which has to be read whole; NDJSON and CSV are read row by row and may be longer."""

MAX_LINE = 1024 * 1024
"""Characters; a longer line is read as several, none of which is a row."""

MAX_DEVICE = 200

_ENDPOINT = ("endpoint", "identifier", "push_token", "registration_id")
_P256DH = ("p256dh", "keys.p256dh", "keys_p256dh", "web_p256")
_AUTH = ("auth", "keys.auth", "keys_auth", "web_auth")
_USER = ("user", "uid", "external_id", "external_user_id", "user_id")
_LOCALE = ("locale", "language")
_TIME_ZONE = ("time_zone", "timezone_id")
_MOST = {"user_id": 200, "locale": 35, "time_zone": 64, "vapid_key": 128}
"""Characters of each field, as many as browsers may send."""

_MOST_OF_TAG = {"name": 64, "value": 256}
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters: databases refuse some of them, terminals obey others."""

_OFF = frozenset({"false", "f", "0", "no", "expired", "unsubscribed"})


class Format(StrEnum):
    """How a file is written; `auto` looks at its first character."""

    AUTO = "auto"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, counted from 1 without the heading: a registration, or why it is none."""

    number: int
    registration: Registration | None
    fault: str = ""


def rows_from(file: IO[bytes], *, format: Format) -> Iterator[Row]:
    """Read a file row by row. Raises INVALID_REQUEST or INVALID_JSON when it is not a file of subscriptions."""
    first = _first_character(file)
    if not first:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, "The file is empty.")
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    if format is Format.CSV or (format is Format.AUTO and first not in "[{"):
        records = _csv_records(text)
    elif first == "[":
        records = _document_records(text)
    else:
        records = _json_records(text)
    for number, record in enumerate(records, start=1):
        yield _row(number, record)


def _first_character(file: IO[bytes]) -> str:
    file.seek(0)
    head = file.read(1024).decode("utf-8-sig", errors="replace").lstrip()
    file.seek(0)
    return head[:1]


def _lines(text: IO[str], most: int = MAX_LINE) -> Iterator[str]:
    return iter(lambda: text.readline(most), "")


def _csv_records(text: IO[str]) -> Iterator[object]:
    reader = csv.DictReader(_lines(text), strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as fault:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"The first line is not CSV: {fault}.") from fault
    reader.fieldnames = names
    if not any(name in names for name in _ENDPOINT):
        raise CatalogueError(
            ErrorCode.INVALID_REQUEST,
            f"The first line names no column of endpoints; it needs one of {', '.join(_ENDPOINT)}.",
        )
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield str(fault)


def _json_records(text: IO[str]) -> Iterator[object]:
    """Read NDJSON; a single object that runs over several lines may hold the list under a name."""
    first = next((line for line in _lines(text, MAX_DOCUMENT) if line.strip()), "")
    try:
        opening = json.loads(first)
    except (ValueError, RecursionError):
        yield from _listed(_parsed(first + text.read(MAX_DOCUMENT)))
        return
    if isinstance(opening, dict) and not any(name in opening for name in _ENDPOINT):
        opening = _listed(opening)
    yield from opening if isinstance(opening, list) else [opening]
    for line in _lines(text):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield "This line is not a JSON object."


def _document_records(text: IO[str]) -> Iterator[object]:
    document = text.read(MAX_DOCUMENT + 1)
    if len(document) > MAX_DOCUMENT:
        raise CatalogueError(
            ErrorCode.BODY_TOO_LARGE, "A JSON array is read whole, up to 64 MiB; send one JSON object a line instead."
        )
    yield from _listed(_parsed(document))


def _parsed(document: str) -> object:
    try:
        return json.loads(document)
    except (ValueError, RecursionError) as fault:
        raise CatalogueError(ErrorCode.INVALID_JSON, f"The file is neither JSON nor NDJSON: {fault}.") from fault


def _listed(document: object) -> list[Any]:
    if isinstance(document, dict):
        if any(name in document for name in _ENDPOINT):
            return [document]
        document = next((document[name] for name in ("subscriptions", "data") if name in document), None)
    if not isinstance(document, list):
        raise CatalogueError(ErrorCode.INVALID_REQUEST, "The file holds no list of subscriptions.")
    return document


def _row(number: int, record: object) -> Row:
    if isinstance(record, str):
        return Row(number, None, record)
    if not isinstance(record, dict):
        return Row(number, None, "This is not an object with an endpoint.")
    flat = _flat(record)
    if str(flat.get("active") or flat.get("status") or "").lower() in _OFF or flat.get("active") in (False,):  # 0, too
        return Row(number, None, "It was no longer active where it comes from.")
    endpoint = _text(flat, _ENDPOINT)
    if endpoint is None:
        return Row(number, None, f"There is no endpoint; it is looked for under {', '.join(_ENDPOINT)}.")
    keys = {"p256dh": _text(flat, _P256DH), "auth": _text(flat, _AUTH)}
    registration = Registration(
        subscription={"endpoint": endpoint, "keys": keys},
        vapid_key=_text(flat, ("vapid_key",)),
        user_id=_text(flat, _USER),
        locale=_text(flat, _LOCALE),
        time_zone=_text(flat, _TIME_ZONE),
        tags=tags_from(flat.get("tags")),
        device=_UNFIT.sub("", _text(flat, ("device", "browser", "name")) or "")[:MAX_DEVICE] or None,
    )
    fault = _fault_of(registration)
    return Row(number, None, fault) if fault else Row(number, registration)


def _fault_of(registration: Registration) -> str:
    """Say what a browser could not have sent; empty when it is fit to be stored."""
    texts = [(name, getattr(registration, name) or "", most) for name, most in _MOST.items()]
    for name, value in (registration.tags or {}).items():
        texts += [("tags", name, _MOST_OF_TAG["name"]), ("tags", value, _MOST_OF_TAG["value"])]
    for name, text, most in texts:
        if len(text) > most:
            return f"{name}: It has {len(text)} characters; {most} is the most."
        if _UNFIT.search(text):
            return f"{name}: It has a control character, or half of a character."
    return ""


def _flat(record: Mapping[Any, Any]) -> dict[str, Any]:
    nested = record.get("subscription")
    flat = {**record, **nested} if isinstance(nested, dict) else dict(record)
    keys = flat.pop("keys", None)
    if isinstance(keys, dict):
        flat |= {f"keys.{name}": value for name, value in keys.items()}
    return flat


def _text(record: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, dict):
            value = value.get("id")
        if value not in (None, ""):
            return str(value)[:4096]
    return None


def tags_from(value: object) -> dict[str, str]:
    """Read tags: an object, as text or not; a list or comma-separated words, which are set to `true`."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text) if text[:1] in ("{", "[") else text.split(",")
        except (ValueError, RecursionError):
            return {}
    if isinstance(value, dict):
        pairs = ((str(name), "" if item is None else str(item)) for name, item in value.items())
        return dict(itertools.islice(pairs, 50))
    if isinstance(value, list):
        return {name: "true" for item in value[:50] if (name := str(item).strip())}
    return {}

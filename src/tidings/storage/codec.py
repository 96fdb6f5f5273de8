"""How messages, audiences and retry lists look in the database, and how an address is packed before sealing."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from tidings.domain.audience import Audience, Devices, Everyone, Matching, Members, Relayed, Tagged, Through, Users
from tidings.domain.delivery import Retry
from tidings.domain.filters import filter_from_json, json_from_filter
from tidings.domain.message import Message
from tidings.domain.subscription import Address
from tidings.storage.columns import microseconds, moment

KINDS: dict[str, type[Members]] = {
    "everyone": Everyone,
    "users": Users,
    "devices": Devices,
    "tagged": Tagged,
    "relayed": Relayed,
    "matching": Matching,
}
"""The word each kind of audience is stored under; a word is never reused for something else."""

CHANNELS = "channels"
"""Beside the fields of an audience: the providers that it is cut down to."""

WORDS = {kind: word for word, kind in KINDS.items()}

_LENGTH = struct.Struct(">H")
_numbers = msgspec.msgpack.Decoder(list[list[int]])


def json_from_message(message: Message) -> dict[str, Any]:
    """Give a message as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    return plain


def message_from_json(stored: dict[str, Any]) -> Message:
    """Read a stored message; one stored before a field existed gets that field's default."""
    return msgspec.convert(stored, Message)


def json_from_audience(audience: Audience) -> dict[str, Any]:
    """Give an audience as plain JSON values, tagged by its kind."""
    if isinstance(audience, Through):
        return {**json_from_audience(audience.of), CHANNELS: list(audience.channels)}
    if isinstance(audience, Matching):
        conditions = json_from_filter(audience.filter)
        whence = {"at": microseconds(audience.at), "segment": audience.segment}
        return {"kind": "matching", "filter": conditions, **whence} | ({"few": True} if audience.few else {})
    fields: dict[str, Any] = msgspec.to_builtins(audience)
    if isinstance(audience, Relayed):
        fields["of"] = fields.pop("kind")
    return {"kind": WORDS[type(audience)], **fields}


def audience_from_json(stored: dict[str, Any]) -> Audience:
    """Read a stored audience."""
    fields = {name: value for name, value in stored.items() if name not in ("kind", CHANNELS)}
    if "of" in fields:
        fields["kind"] = fields.pop("of")
    members: Members
    if stored["kind"] == "matching":
        members = Matching(
            filter_from_json(fields["filter"]), moment(fields["at"]), fields["segment"], fields.get("few", False)
        )
    else:
        members = msgspec.convert(fields, KINDS[stored["kind"]])
    return Through(members, tuple(stored[CHANNELS])) if CHANNELS in stored else members


def bytes_from_retries(retries: Sequence[Retry]) -> bytes | None:
    """Pack a list to try again into a few bytes each; None for no list."""
    if not retries:
        return None
    packed = [
        (one.subscription_id, one.attempt, one.puzzling) if one.puzzling else (one.subscription_id, one.attempt)
        for one in retries
    ]
    return msgspec.msgpack.encode(packed)


def retries_from_bytes(stored: bytes | None) -> tuple[Retry, ...]:
    """Read a stored list to try again."""
    if stored is None:
        return ()
    return tuple(Retry(*numbers) for numbers in _numbers.decode(stored))


def bytes_from_address(address: Address) -> bytes:
    """Pack target and keys: two bytes for the length of the target, the target in UTF-8, the keys."""
    target = address.target.encode()
    return _LENGTH.pack(len(target)) + target + address.keys


def address_from_bytes(packed: bytes) -> Address:
    """Read a packed address."""
    ((target, keys),) = parts_of_addresses([packed])
    return Address(target, keys)


def parts_of_addresses(packed: Sequence[bytes]) -> list[tuple[str, bytes]]:
    """Read packed addresses as (target, keys): without an object for each, where many are read."""
    return [(one[2 : (end := 2 + (one[0] << 8 | one[1]))].decode(), one[end:]) for one in packed]

"""Who is named by a message's audience: found by looking through an App's notifications, a few hundred at a time."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Text, cast, or_, select, update

from tidings.domain.audience import Audience, Devices, Matching, Members, Through, Users
from tidings.domain.erasure import Sought
from tidings.domain.filters import FALSE, forgotten
from tidings.domain.message import Message
from tidings.storage.codec import audience_from_json, json_from_audience, json_from_message, message_from_json
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.notifications import notifications

c = notifications.c
ERASED = "(erased)"


def forget(scope: Scope, app_id: int, sought: Sought, *, after: int, to: int, limit: int) -> tuple[int, int]:
    """Take the sought out of the audiences of the next notifications; give how far that is, and how many changed.

    What was said to them alone is erased too; a message to others besides stays, for it is theirs.
    """
    rows = _named(scope, app_id, after=after, to=to, limit=limit)
    changed = 0
    for row in rows:
        audience = audience_from_json(row.audience)
        left = without(audience, sought)
        if left == audience:
            continue
        values = {"audience": json_from_audience(left)}
        if _is_nobody(left):
            values["message"] = json_from_message(_silenced(message_from_json(row.message)))
        scope.connection.execute(update(notifications).where(c.id == row.id).values(values))
        changed += 1
    return (rows[-1].id if len(rows) == limit else to), changed


def naming(scope: Scope, app_id: int, sought: Sought, *, after: int, limit: int) -> tuple[int | None, list[AnyRow]]:
    """Give those of the next notifications whose audience names the sought, and how far that is; None at the end."""
    rows = _named(scope, app_id, after=after, to=None, limit=limit)
    found = [row for row in rows if without(kept := audience_from_json(row.audience), sought) != kept]
    return (rows[-1].id if len(rows) == limit else None), found


def without(audience: Audience, sought: Sought) -> Audience:
    """Give the audience without the sought."""
    if isinstance(audience, Through):
        return Through(_members_without(audience.of, sought), audience.channels)
    return _members_without(audience, sought)


def _members_without(audience: Members, sought: Sought) -> Members:
    match audience:
        case Users(external_ids):
            return Users(tuple(one for one in external_ids if one != sought.user))
        case Devices(public_ids):
            return Devices(tuple(one for one in public_ids if one not in sought.devices))
        case Matching(tree):
            return replace(audience, filter=forgotten(tree, {*sought.devices, sought.user or ""}))
        case _:
            return audience


def _is_nobody(audience: Audience) -> bool:
    match audience:
        case Through(of, _):
            return _is_nobody(of)
        case Users(named) | Devices(named):
            return not named
        case Matching(tree):
            return tree == FALSE
        case _:
            return False


def _named(scope: Scope, app_id: int, *, after: int, to: int | None, limit: int) -> list[AnyRow]:
    kinds = or_(*(cast(c.audience, Text).contains(f'"{kind}"') for kind in ("users", "devices", "matching")))
    query = select(c.id, c.audience, c.message, c.public_id, c.created_at).where(
        c.app_id == app_id, c.id > after, kinds
    )
    if to is not None:
        query = query.where(c.id <= to)
    return list(scope.connection.execute(query.order_by(c.id).limit(limit)))


def _silenced(message: Message) -> Message:
    return replace(Message(title=ERASED), ttl=message.ttl, urgency=message.urgency)

"""Everything that is kept of one person or one device, as one JSON document written piece by piece."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from tidings.domain.app import App
from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.erasure import Sought
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.event import Event
from tidings.domain.message import Message
from tidings.domain.subscription import Subscription
from tidings.lib.clock import Clock
from tidings.services.quiet import text_from
from tidings.storage import Store, Transaction

AT_ONCE = 200
"""Rows read at a time."""

Rows = list[dict[str, Any]]


class Reader(Protocol):
    """Reads the next rows of a device, and says where to go on."""

    def __call__(
        self, tx: Transaction, /, *, device: Subscription, after: tuple[int, str]
    ) -> tuple[Rows, tuple[int, str]]: ...


class Export:
    """Writes out what is kept of somebody; addresses, keys and secrets of devices stay where they are."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def user(self, app: App, external_id: str, *, by: Actor) -> AsyncIterator[bytes]:
        """Begin the document of a person. Raises NOT_FOUND where nothing is kept of them."""
        now = self._clock.now()
        person = await self._store.read(lambda tx: tx.users.get(app.id, external_id))
        devices = await self._devices(app.id, external_id)
        anything = await self._store.read(
            lambda tx: bool(
                tx.tracked.of_user(app.id, external_id, after=0, limit=1)
                or tx.events.of_user(app.id, external_id, after=0, limit=1)
                or tx.follows.topics(app.id, external_id, limit=1)
                or _wishes(tx, app.id, external_id)
                or tx.feed.of_user(app.id, external_id, after=0, limit=1)
                or _bell(tx, app.id, external_id, now=now)
            )
        )
        if person is None and not devices and not anything:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"Nothing is kept of a user {external_id[:64]!r}.")
        known = {"id": external_id} if person is None else _plain(person, leave=("id", "app_id", "external_id"))
        sought = Sought(external_id, tuple(one.public_id for one in devices))
        await self._note(app, "user", external_id, by=by)
        return self._document(app, {"user": {"id": external_id, **known}}, devices, sought)

    async def subscription(self, app: App, public_id: str, *, by: Actor) -> AsyncIterator[bytes]:
        """Begin the document of a device. Raises NOT_FOUND."""
        device = await self._store.read(lambda tx: tx.subscriptions.get(app.id, public_id))
        if device is None:
            raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no subscription {public_id[:64]!r}.")
        await self._note(app, "subscription", public_id, by=by)
        return self._document(app, {"user": None}, [device], Sought(devices=(public_id,)))

    async def _note(self, app: App, kind: str, name: str, *, by: Actor) -> None:
        now = self._clock.now()

        def note(tx: Transaction) -> None:
            about = Subject(kind, tx.audit.pseudonym(app.id, name))
            tx.audit.add(by, Action.PERSONAL_DATA_EXPORTED, app_id=app.id, subject=about, now=now)

        await self._store.write(note)

    async def _document(
        self, app: App, head: dict[str, Any], devices: Sequence[Subscription], sought: Sought
    ) -> AsyncIterator[bytes]:
        about = {"exported_at": self._clock.now(), "app": {"id": app.public_id, "name": app.name}, **head}
        yield (_json(about)[:-1] + ',"devices":').encode()
        async for piece in _list(_once([_device(one) for one in devices])):
            yield piece
        for name, rows in (
            ("events", self._events(app, devices, sought)),
            ("reported", self._reported(app, sought)),
            ("topics", self._topics(app, sought)),
            ("deliveries", self._of_devices(devices, _deliveries)),
            ("receipts", self._of_devices(devices, _receipts)),
            ("messages", self._messages(app, sought)),
            ("preferences", self._wishes(app, sought)),
            ("feed", self._feed(app, sought)),
            ("bell", self._bell(app, sought)),
        ):
            yield f',"{name}":'.encode()
            async for piece in _list(rows):
                yield piece
        yield b"}\n"

    async def _devices(self, app_id: int, external_id: str) -> list[Subscription]:
        found: list[Subscription] = []
        while True:
            after = found[-1].id if found else 0
            page = await self._store.read(
                lambda tx, after=after: tx.subscriptions.page(  # type: ignore[misc]
                    app_id, after=after, limit=AT_ONCE, user_external_id=external_id
                )
            )
            found += page
            if len(page) < AT_ONCE:
                return found

    async def _events(self, app: App, devices: Sequence[Subscription], sought: Sought) -> AsyncIterator[Rows]:
        after = 0
        if sought.user is not None:
            user = sought.user
            while rows := await self._store.read(
                lambda tx, after=after: tx.tracked.of_user(app.id, user, after=after, limit=AT_ONCE)  # type: ignore[misc]
            ):
                after = rows[-1].id
                yield [_plain(row, leave=("id", "user_external_id")) for row in rows]
            return
        for device in devices:
            after = 0
            while rows := await self._store.read(
                lambda tx, of=device.id, after=after: tx.tracked.page(of, after=after, limit=AT_ONCE)  # type: ignore[misc]
            ):
                after = rows[-1].id
                yield [_plain(row, leave=("id",)) for row in rows]

    async def _reported(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        """Give the events of the App's servers that name the person."""
        after, user = 0, sought.user
        while user is not None and (
            rows := await self._store.read(
                lambda tx, after=after: tx.events.of_user(app.id, user, after=after, limit=AT_ONCE)  # type: ignore[misc]
            )
        ):
            after = rows[-1].id
            yield [_event(row) for row in rows]

    async def _topics(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        """Give what the person follows."""
        after, user = "", sought.user
        while user is not None and (
            rows := await self._store.read(
                lambda tx, after=after: tx.follows.topics(app.id, user, after=after, limit=AT_ONCE)  # type: ignore[misc]
            )
        ):
            after = rows[-1].topic
            yield [{"topic": row.topic, "since": row.since} for row in rows]

    async def _of_devices(self, devices: Sequence[Subscription], read: Reader) -> AsyncIterator[Rows]:
        for device in devices:
            after: tuple[int, str] = (0, "")
            while True:
                rows, after = await self._store.read(partial(read, device=device, after=after))
                yield rows
                if len(rows) < AT_ONCE:
                    break

    async def _wishes(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        if (user := sought.user) is not None:
            yield await self._store.read(lambda tx: _wishes(tx, app.id, user))

    async def _feed(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        """Give what was put into the bell for them by name; what everybody found there is among no one's data."""
        if (user := sought.user) is None:
            return
        after = 0
        while rows := await self._store.read(
            lambda tx, after=after: tx.feed.of_user(app.id, user, after=after, limit=AT_ONCE)  # type: ignore[misc]
        ):
            after = rows[-1][0]
            yield await self._store.read(partial(_items, rows=rows))

    async def _bell(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        """Give up to when they saw, read or put away everything that their bell held."""
        now = self._clock.now()
        if (user := sought.user) is not None:
            yield await self._store.read(lambda tx: _bell(tx, app.id, user, now=now))

    async def _messages(self, app: App, sought: Sought) -> AsyncIterator[Rows]:
        at: int | None = 0
        while at is not None:
            at, found = await self._store.read(
                lambda tx, after=at: tx.erasures.addressed(app.id, sought, after=after, limit=AT_ONCE)  # type: ignore[misc]
            )
            yield [{"id": public_id, "at": when, **_words(message)} for public_id, message, when in found]


def _wishes(tx: Transaction, app_id: int, user: str) -> Rows:
    said = tx.preferences.of_user(app_id, user).items()
    rows: Rows = [{"type": key, "channel": channel.value, "enabled": enabled} for (key, channel), enabled in said]
    quiet = tx.preferences.quiet(app_id, user)
    if quiet is not None:
        hours = quiet.hours and {"from": text_from(quiet.hours.begins), "to": text_from(quiet.hours.ends)}
        rows.append({"quiet_hours": hours, "time_zone": quiet.time_zone})
    return rows


def _bell(tx: Transaction, app_id: int, user: str, *, now: datetime) -> Rows:
    person = tx.feed.person(app_id, user, now=now)
    told = {"seen_to": person.seen_to, "read_to": person.read_to, "archived_to": person.archived_to}
    noted = {name: at for name, at in told.items() if at.timestamp() > 0}
    return [noted] if noted else []


def _items(tx: Transaction, *, rows: Sequence[tuple[int, datetime, datetime | None, datetime | None]]) -> Rows:
    return [
        {"at": at, "read_at": read_at, "archived_at": archived_at, **_notification(tx, notification_id)}
        for notification_id, at, read_at, archived_at in rows
    ]


def _deliveries(tx: Transaction, *, device: Subscription, after: tuple[int, str]) -> tuple[Rows, tuple[int, str]]:
    found = tx.deliveries.history(device.id, after=after[0], limit=AT_ONCE)
    rows: Rows = []
    for notification_id, settled, at in found:
        outcome = {"at": at, "status": settled.status.name.lower(), "reason": settled.reason}
        rows.append({"device": device.public_id, **outcome, **_notification(tx, notification_id)})
    return rows, (found[-1][0], "") if found else after


def _receipts(tx: Transaction, *, device: Subscription, after: tuple[int, str]) -> tuple[Rows, tuple[int, str]]:
    found = tx.receipts.of_subscription(device.id, after=after, limit=AT_ONCE)
    rows: Rows = []
    for one in found:
        did = {"at": one.at, "event": one.event.value, "action": one.action}
        rows.append({"device": device.public_id, **did, **_notification(tx, one.notification_id)})
    return rows, (found[-1].notification_id, found[-1].event.value) if found else after


def _notification(tx: Transaction, notification_id: int) -> dict[str, Any]:
    found = tx.notifications.by_id(notification_id)
    return {"notification": None} if found is None else {"notification": found.public_id, **_words(found.message)}


def _words(message: Message) -> dict[str, Any]:
    return {"title": message.title, "body": message.body, "url": message.url}


def _event(row: Event) -> dict[str, Any]:
    # Whom else it concerned is not theirs to read.
    return {"id": row.public_id, "type": row.type, "data": row.data, "at": row.occurred_at}


def _device(row: Subscription) -> dict[str, Any]:
    return {"id": row.public_id, **_plain(row, leave=("id", "public_id", "app_id", "credential_id"))}


def _plain(row: Any, *, leave: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__ if name not in leave}


async def _once(rows: Rows) -> AsyncIterator[Rows]:
    yield rows


async def _list(parts: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    yield b"["
    first = True
    async for rows in parts:
        for row in rows:
            yield (("" if first else ",") + _json(row)).encode()
            first = False
    yield b"]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_written)


def _written(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)

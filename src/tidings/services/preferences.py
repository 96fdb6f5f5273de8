"""Preferences: what people want to hear of, said by themselves, by their App's server, or with one click."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from tidings.domain.app import App
from tidings.domain.audience import Through, Users
from tidings.domain.audit import SYSTEM, Action, Actor, Subject, is_person
from tidings.domain.campaign import Notification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.preference import EventKind, PreferenceChannel, QuietWish
from tidings.domain.subscription import Subscription
from tidings.lib.clock import Clock
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.render import tag_for
from tidings.services.quiet import quiet_of_app, set_quiet_of_app
from tidings.storage import Store, Transaction
from tidings.storage.ports.preferences import Switch

PUSH, FEED = PreferenceChannel.PUSH, PreferenceChannel.FEED
_SIGNATURE = 24
"""Characters of a link's signature: 144 bits."""

KEEP = object()
"""In place of quiet hours that stay as they are."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An event type, and what a person said of it; None where its default holds."""

    kind: EventKind
    push: bool | None = None
    feed: bool | None = None

    def enabled(self, channel: PreferenceChannel) -> bool:
        """Say what holds."""
        said = self.push if channel is PUSH else self.feed
        return True if self.kind.mandatory and said is False else self.kind.default(channel) if said is None else said


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that a person may choose, and has chosen. `quiet` is their own word, `of_app` holds where there is none."""

    user: str
    choices: tuple[Choice, ...]
    quiet: QuietWish | None
    of_app: QuietWish | None


@dataclass(frozen=True, slots=True)
class LinkedTo:
    """Whom, and what, a link to turn something off is about; `in_bell` when it comes to the bell all the same.

    `languages` are those that they read, best first.
    """

    user: str
    kind: EventKind
    enabled: bool
    in_bell: bool
    languages: tuple[str, ...] = ()


class Preferences:
    """Reads and changes what people chose."""

    def __init__(self, *, store: Store, clock: Clock, key: bytes, deliveries: OpaquePairs) -> None:
        self._store = store
        self._clock = clock
        self._key = key
        self._deliveries = deliveries

    async def of(self, app: App, user: str, *, asked: Sequence[str] = ()) -> Chosen:
        """Give what a person may choose, in the order of categories and names, and has chosen.

        Names are in the language that is `asked` for, else in that of the person, else in that of the App.
        """
        return await self._store.read(lambda tx: _chosen(tx, app, user, asked))

    async def change(
        self,
        app: App,
        user: str,
        switches: Mapping[Switch, bool | None],
        *,
        asked: Sequence[str] = (),
        quiet: QuietWish | object | None = KEEP,
        by: Actor = SYSTEM,
    ) -> Chosen:
        """Turn switches (None goes back to the default) and set quiet hours (None: those of the App).

        Raises EVENT_TYPE_UNKNOWN, and PREFERENCE_MANDATORY for one that cannot be turned off; then nothing is changed.
        """
        now, app_id = self._clock.now(), app.id

        def change(tx: Transaction) -> Chosen:
            for (key, _), enabled in switches.items():
                kind = tx.kinds.get(app_id, key)
                if kind is None:
                    raise CatalogueError(ErrorCode.EVENT_TYPE_UNKNOWN, f"There is no event type {key[:100]!r}.")
                if kind.mandatory and enabled is False:
                    raise CatalogueError(ErrorCode.PREFERENCE_MANDATORY, f"`{key}` reaches everybody it concerns.")
            tx.preferences.put(app_id, user, switches, now=now)
            if quiet is not KEEP:
                assert quiet is None or isinstance(quiet, QuietWish)
                tx.preferences.set_quiet(app_id, user, quiet, now=now)
            if is_person(by):
                about = Subject("user", tx.audit.pseudonym(app_id, user))
                detail = {"event_types": sorted({key for key, _ in switches}), "quiet_hours": quiet is not KEEP}
                tx.audit.add(by, Action.PREFERENCES_CHANGED, app_id=app_id, subject=about, detail=detail, now=now)
            return _chosen(tx, app, user, asked)

        return await self._store.write(change)

    async def quiet_of_app(self, app_id: int) -> QuietWish | None:
        """Give the quiet hours of those who said nothing themselves."""
        return await self._store.read(lambda tx: quiet_of_app(tx, app_id))

    async def set_quiet_of_app(self, app: App, wish: QuietWish | None, *, by: Actor) -> None:
        """Set the quiet hours of those who said nothing themselves."""
        now = self._clock.now()

        def change(tx: Transaction) -> None:
            set_quiet_of_app(tx, app.id, wish)
            about = Subject("app", app.public_id)
            tx.audit.add(by, Action.QUIET_HOURS_CHANGED, app_id=app.id, subject=about, now=now)

        await self._store.write(change)

    def link(self, app: App, user: str, event_type: str) -> str:
        """Give the path of a page that turns an event type's pushes off for a person, with no sign-in: for mails."""
        query = {"user": user, "type": event_type, "signature": self._signature(app, user, event_type)}
        return f"/v1/{app.public_id}/push/unsubscribe?{urlencode(query, quote_via=quote)}"

    async def linked(self, app: App, query: Mapping[str, str], *, asked: Sequence[str] = ()) -> LinkedTo:
        """Find out what a link is about: signed for a person and an event type, or the id and token of a delivery.

        Raises UNSUBSCRIBE_LINK_INVALID.
        """
        if "delivery" in query:
            return await self._store.read(self._of_delivery(app, query["delivery"], query.get("token", ""), asked))
        user, event_type = query.get("user", ""), query.get("type", "")
        expected = self._signature(app, user, event_type)
        if not hmac.compare_digest(expected.encode(), query.get("signature", "").encode()):
            raise CatalogueError(ErrorCode.UNSUBSCRIBE_LINK_INVALID)
        return await self._store.read(lambda tx: _linked(tx, app, user, event_type, asked))

    async def turn(self, app: App, query: Mapping[str, str], *, enabled: bool, asked: Sequence[str] = ()) -> LinkedTo:
        """Do what a link is for, or take it back. Raises UNSUBSCRIBE_LINK_INVALID and PREFERENCE_MANDATORY."""
        about = await self.linked(app, query)
        await self.change(app, about.user, {(about.kind.key, PUSH): enabled})
        return await self._store.read(lambda tx: _linked(tx, app, about.user, about.kind.key, asked))

    def _of_delivery(
        self, app: App, delivery: str, token: str, asked: Sequence[str]
    ) -> Callable[[Transaction], LinkedTo]:
        pair = self._deliveries.decode(delivery, token)

        def find(tx: Transaction) -> LinkedTo:
            notification = tx.notifications.by_id(pair[0]) if pair else None
            device = tx.subscriptions.by_id(pair[1]) if pair else None
            if notification is None or device is None or notification.app_id != app.id:
                raise CatalogueError(ErrorCode.UNSUBSCRIBE_LINK_INVALID)
            person = device.user_external_id
            if notification.event_type is None or person is None or not _may_be_theirs(tx, notification, device):
                raise CatalogueError(ErrorCode.UNSUBSCRIBE_LINK_INVALID)
            return _linked(tx, app, person, notification.event_type, asked)

        return find

    def _signature(self, app: App, user: str, event_type: str) -> str:
        signed = "\n".join((app.public_id, event_type, user)).encode()
        return urlsafe_b64encode(hmac.digest(self._key, signed, "sha256")).decode()[:_SIGNATURE]


def _may_be_theirs(tx: Transaction, notification: Notification, device: Subscription) -> bool:
    """Tell whether a push was for whoever has the device now: they are named, or had it already when it was sent."""
    audience = notification.audience
    whom = audience.of if isinstance(audience, Through) else audience
    if isinstance(whom, Users):
        return device.user_external_id in whom.external_ids
    if device.owner_since is None:
        return True
    # What waited for somebody's quiet hours was sent later than the rest, to whoever had the device by then.
    settled = tx.deliveries.history(device.id, after=notification.id - 1, limit=1)
    told_at = next((at for of, _, at in settled if of == notification.id), notification.send_at)
    return device.owner_since <= told_at


def _languages(tx: Transaction, app: App, user: str, asked: Sequence[str]) -> tuple[str, ...]:
    """Give the languages to try for a person: what their device asks for, their own, the App's."""
    person = tx.users.get(app.id, user)
    return tuple(filter(None, (*asked, person.locale if person else None, app.language)))


def named_for(kind: EventKind, languages: Sequence[str]) -> EventKind:
    """Give an event type by the name that it has in the first of these languages, else by its own."""
    known = (kind.language, *kind.locales)
    tag = next((found for one in languages if (found := tag_for(known, one))), None)
    return kind if tag is None else kind.said_in(tag)


def _chosen(tx: Transaction, app: App, user: str, asked: Sequence[str]) -> Chosen:
    app_id, languages = app.id, _languages(tx, app, user, asked)
    said = tx.preferences.of_user(app_id, user)
    named = (named_for(one, languages) for one in tx.kinds.all(app_id))
    kinds = sorted(named, key=lambda one: (one.category, one.name or one.key, one.key))
    choices = tuple(Choice(one, said.get((one.key, PUSH)), said.get((one.key, FEED))) for one in kinds)
    return Chosen(user, choices, tx.preferences.quiet(app_id, user), quiet_of_app(tx, app_id))


def _linked(tx: Transaction, app: App, user: str, event_type: str, asked: Sequence[str]) -> LinkedTo:
    kind = tx.kinds.get(app.id, event_type)
    if kind is None:
        raise CatalogueError(ErrorCode.UNSUBSCRIBE_LINK_INVALID)
    said = tx.preferences.of_user(app.id, user)
    choice = Choice(kind, said.get((event_type, PUSH)), said.get((event_type, FEED)))
    languages = _languages(tx, app, user, asked)
    return LinkedTo(user, named_for(kind, languages), choice.enabled(PUSH), choice.enabled(FEED), languages)


def off_in_feed(tx: Transaction, app_id: int, user: str) -> tuple[str, ...]:
    """Give the event types that a person does not want in the bell."""
    said = tx.preferences.of_user(app_id, user)
    choices = (Choice(one, feed=said.get((one.key, FEED))) for one in tx.kinds.all(app_id))
    return tuple(one.kind.key for one in choices if not one.kind.mandatory and not one.enabled(FEED))

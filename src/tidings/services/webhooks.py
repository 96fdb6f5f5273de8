"""Outgoing webhooks: kept, tried with a test event, their log read, and what they missed sent again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.webhook import MessageStatus, NewWebhook, Webhook, WebhookAttempt, WebhookEvent, WebhookMessage
from tidings.lib.clock import Clock
from tidings.lib.egress import ForbiddenUrl
from tidings.lib.fetch import Fetcher
from tidings.lib.ids import Ids
from tidings.lib.signed_webhooks import SECRET_BYTES, secret_text
from tidings.services.paging import Page, page_from, position_from
from tidings.services.webhook_delivery import WebhookDelivery
from tidings.storage import Store, Transaction

MOST = 20
"""Webhooks of an App."""

LEASE = 60.0
"""Seconds for which a worker that died keeps a message waiting: longer than any call takes."""

KEEP_LOG = timedelta(days=14)
"""How long messages and their tries are kept: what the log shows, and what can be sent again."""

LISTED_TRIES = 50
"""Tries shown of one message."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed of a webhook; None stays."""

    url: str | None = None
    kinds: Sequence[WebhookEvent] | None = None
    description: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Revealed:
    """A webhook with its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True)
class MessageDetails:
    """A message with its tries, and with what it says now."""

    message: WebhookMessage
    attempts: list[WebhookAttempt]
    events: list[dict[str, Any]]


class Webhooks:
    """Makes, finds, changes and deletes webhooks, and shows what they were told."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, fetcher: Fetcher, delivery: WebhookDelivery) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._fetcher = fetcher
        self._delivery = delivery

    async def create(self, app_id: int, new: NewWebhook, *, by: Actor = SYSTEM) -> Revealed:
        """Keep a webhook and give its secret. Raises INVALID_REQUEST for the URL, WEBHOOKS_TOO_MANY."""
        self._check(new.url)
        public_id, now, key = self._ids.new("whk"), self._clock.now(), secrets.token_bytes(SECRET_BYTES)

        def create(tx: Transaction) -> Webhook:
            tx.webhooks.hold(app_id)
            if len(tx.webhooks.all(app_id)) >= MOST:
                raise CatalogueError(ErrorCode.WEBHOOKS_TOO_MANY)
            made = tx.webhooks.add(app_id, new, public_id=public_id, secret=key, now=now)
            _note(tx, made, by, Action.WEBHOOK_CREATED, now=now, kinds=[kind.value for kind in made.kinds])
            return made

        return Revealed(await self._store.write(create), secret_text(key))

    async def all(self, app_id: int) -> list[Webhook]:
        """List webhooks, newest first."""
        return await self._store.read(lambda tx: tx.webhooks.all(app_id))

    async def get(self, app_id: int, public_id: str) -> Webhook:
        """Give one webhook. Raises NOT_FOUND."""
        return await self._store.read(lambda tx: _found(tx, app_id, public_id))

    async def change(self, app_id: int, public_id: str, changes: Changes, *, by: Actor = SYSTEM) -> Webhook:
        """Change what is named. Raises NOT_FOUND, and INVALID_REQUEST for the URL."""
        if changes.url is not None:
            self._check(changes.url)
        now = self._clock.now()

        def change(tx: Transaction) -> Webhook:
            tx.webhooks.hold(app_id)
            found = _found(tx, app_id, public_id)
            before = NewWebhook(found.url, found.kinds, found.description, found.enabled)
            named = {name: getattr(changes, name) for name in Changes.__slots__}
            given = {name: value for name, value in named.items() if value is not None}
            if "kinds" in given:
                given["kinds"] = tuple(given["kinds"])
            changed = tx.webhooks.change(found.id, replace(before, **given), now=now)
            _note(tx, changed, by, Action.WEBHOOK_CHANGED, now=now, changed=sorted(given))
            return changed

        return await self._store.write(change)

    async def rotate(self, app_id: int, public_id: str, *, keep: timedelta, by: Actor = SYSTEM) -> Revealed:
        """Give a new secret; what is sent is signed with the one before too, for so long. Raises NOT_FOUND."""
        now, key = self._clock.now(), secrets.token_bytes(SECRET_BYTES)

        def rotate(tx: Transaction) -> Webhook:
            tx.webhooks.hold(app_id)
            found = _found(tx, app_id, public_id)
            rotated = tx.webhooks.rotate(found.id, key, earlier_until=now + keep, now=now)
            _note(tx, rotated, by, Action.WEBHOOK_SECRET_ROTATED, now=now)
            return rotated

        return Revealed(await self._store.write(rotate), secret_text(key))

    async def delete(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> None:
        """Forget a webhook with its log; what it was not told yet, it is not told. Raises NOT_FOUND."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            tx.webhooks.hold(app_id)
            found = _found(tx, app_id, public_id)
            tx.webhooks.delete(found.id)
            _note(tx, found, by, Action.WEBHOOK_DELETED, now=now)

        await self._store.write(delete)

    async def test(self, app_id: int, public_id: str, *, by: Actor = SYSTEM) -> tuple[WebhookMessage, WebhookAttempt]:
        """Send a test event now, also to a webhook that is off, and say how it went. Raises NOT_FOUND."""
        message_id, now = self._ids.new("msg"), self._clock.now()

        def begin(tx: Transaction) -> Any:
            tx.webhooks.hold(app_id)
            found = _found(tx, app_id, public_id)
            _note(tx, found, by, Action.WEBHOOK_TESTED, now=now)
            return tx.webhook_messages.add_test(found, public_id=message_id, now=now, lease=LEASE)

        job = await self._store.write(begin)
        attempt = await self._delivery.tell(job)
        assert attempt is not None
        message = await self._store.read(lambda tx: tx.webhook_messages.get(job.webhook.id, message_id))
        return message or job.message, attempt

    async def messages(
        self, app_id: int, public_id: str, *, cursor: str | None, limit: int, status: MessageStatus | None = None
    ) -> Page[WebhookMessage]:
        """List what a webhook was told, newest first. Raises NOT_FOUND, INVALID_CURSOR."""
        after = position_from(cursor)

        def look(tx: Transaction) -> list[WebhookMessage]:
            found = _found(tx, app_id, public_id)
            return tx.webhook_messages.page(found.id, after=after, limit=limit + 1, status=status)

        return page_from(await self._store.read(look), limit=limit, position=lambda row: row.id)

    async def message(self, app_id: int, public_id: str, message_id: str) -> MessageDetails:
        """Give one message with its tries and its events. Raises NOT_FOUND."""

        def look(tx: Transaction) -> MessageDetails:
            message = _message(tx, _found(tx, app_id, public_id), message_id)
            attempts = tx.webhook_messages.attempts(message.id, limit=LISTED_TRIES)
            return MessageDetails(message, attempts, tx.webhook_messages.events(message))

        return await self._store.read(look)

    async def replay(self, app_id: int, public_id: str, message_id: str, *, by: Actor = SYSTEM) -> WebhookMessage:
        """Have one message sent again under its id; one that waits is due now. Raises NOT_FOUND."""
        now = self._clock.now()

        def again(tx: Transaction) -> WebhookMessage:
            found = _found(tx, app_id, public_id)
            message = _message(tx, found, message_id)
            tx.webhook_messages.again(found.id, message_id=message.id, now=now)
            _note(tx, found, by, Action.WEBHOOK_REPLAYED, now=now, message=message_id)
            return _message(tx, found, message_id)

        return await self._store.write(again)

    async def replay_range(
        self,
        app_id: int,
        public_id: str,
        *,
        since: datetime,
        until: datetime | None,
        status: MessageStatus | None,
        by: Actor = SYSTEM,
    ) -> int:
        """Have the messages of a time sent again, up to now or `until`; give how many. Raises NOT_FOUND."""
        now = self._clock.now()

        def again(tx: Transaction) -> int:
            found = _found(tx, app_id, public_id)
            count = tx.webhook_messages.again(found.id, since=since, until=until, status=status, now=now)
            span = {"since": since.isoformat(), "until": (until or now).isoformat()}
            _note(tx, found, by, Action.WEBHOOK_REPLAYED, now=now, messages=count, **span)
            return count

        return await self._store.write(again)

    def _check(self, url: str) -> None:
        try:
            self._fetcher.checked(url)
        except ForbiddenUrl as forbidden:
            fault = FieldFault("url", forbidden.detail)
            raise CatalogueError(ErrorCode.INVALID_REQUEST, f"url: {fault.message}", faults=(fault,)) from None


def _found(tx: Transaction, app_id: int, public_id: str) -> Webhook:
    found = tx.webhooks.get(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no webhook {public_id[:64]!r}.")
    return found


def _message(tx: Transaction, webhook: Webhook, public_id: str) -> WebhookMessage:
    found = tx.webhook_messages.get(webhook.id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no message {public_id[:64]!r} of this webhook.")
    return found


def _note(tx: Transaction, one: Webhook, by: Actor, action: Action, *, now: datetime, **detail: Any) -> None:
    about = Subject("webhook", one.public_id, one.description or None)
    tx.audit.add(by, action, app_id=one.app_id, subject=about, detail=detail, now=now)

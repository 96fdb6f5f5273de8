"""Opinion questions on a page: what is asked and was answered, in the words that the device was sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tidings.domain.app import App
from tidings.domain.campaign import Notification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.message import Action, Message, Rendered
from tidings.domain.person import NOBODY, Person
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.lib.clock import Clock
from tidings.lib.opaque import OpaquePairs
from tidings.pipeline.personal import Unrenderable, Words
from tidings.pipeline.render import language_for, render
from tidings.storage import Store, Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """What one device is asked. `chosen` is its answer, `open` whether it can be given or changed.

    `language` is that of the words, None where the message does not say; `locale` is what the device speaks.
    """

    title: str
    body: str
    actions: tuple[Action, ...]
    chosen: Action | None
    open: bool
    language: str | None
    locale: str | None

    @property
    def answers(self) -> tuple[Action, ...]:
        """Give what can be answered; the other actions lead somewhere."""
        return tuple(one for one in self.actions if one.url is None)


class Answers:
    """Asks on a page where a notification has no buttons; a device answers once, and may change its mind."""

    def __init__(self, *, store: Store, clock: Clock, deliveries: OpaquePairs) -> None:
        self._store = store
        self._clock = clock
        self._deliveries = deliveries

    async def look(self, app: App, delivery: str, token: str) -> Question:
        """Give what a link asks. Raises ANSWER_LINK_INVALID for one we did not make, ANSWER_CLOSED for an old one."""
        ids = self._ids(delivery, token)
        return await self._store.read(lambda tx: _question(tx, app, ids))

    async def answer(self, app: App, delivery: str, token: str, action: str) -> None:
        """Take an answer, or another one in its place. Raises ANSWER_LINK_INVALID, ANSWER_CLOSED."""
        ids, now = self._ids(delivery, token), self._clock.now()

        def take(tx: Transaction) -> None:
            asked = _question(tx, app, ids)
            if not asked.open or action not in {one.id for one in asked.answers}:
                raise CatalogueError(ErrorCode.ANSWER_CLOSED)
            receipt = _receipt(ids, action, now)
            if not tx.receipts.add(receipt):
                tx.receipts.change_answer(receipt)

        await self._store.write(take)

    def _ids(self, delivery: str, token: str) -> tuple[int, int]:
        ids = self._deliveries.decode(delivery, token)
        if ids is None:
            raise CatalogueError(ErrorCode.ANSWER_LINK_INVALID)
        return ids


def _receipt(ids: tuple[int, int], action: str, now: datetime) -> Receipt:
    return Receipt(*ids, ReceiptEvent.ANSWERED, action, now)


def _question(tx: Transaction, app: App, ids: tuple[int, int]) -> Question:
    notification_id, subscription_id = ids
    found = tx.notifications.by_id(notification_id)
    device = tx.subscriptions.by_id(subscription_id)
    if found is not None and found.app_id != app.id:
        raise CatalogueError(ErrorCode.ANSWER_LINK_INVALID)
    if found is None or device is None:
        raise CatalogueError(ErrorCode.ANSWER_CLOSED)
    person = NOBODY
    if device.owner_since is None or device.owner_since <= found.send_at:
        # To whoever has the device since, nothing was sent: they read the words as somebody unknown would.
        person = tx.subscriptions.people([subscription_id]).get(subscription_id, NOBODY)
    said = _said(found, device.locale, person)
    state = tx.receipts.answering(notification_id, subscription_id)
    question = Question(
        title=said.title,
        body=said.body,
        actions=said.actions,
        chosen=next((one for one in said.actions if one.id == state.action), None),
        open=state.open,
        language=said.language or (found.message.templated.language if found.message.templated else None),
        locale=device.locale or person.locale,
    )
    if not question.answers or not (question.open or question.chosen):
        raise CatalogueError(ErrorCode.ANSWER_CLOSED)
    return question


def _said(found: Notification, locale: str | None, person: Person) -> Rendered:
    """Give the words as they were sent; a message that can be written no more is closed."""
    message: Message = found.message
    if message.templated is None:
        return _own(render(message, language_for(message, locale)))
    try:
        words = Words(message)
        return _own(words.render(words.language_for(locale, person), person))
    except Unrenderable as fault:
        raise CatalogueError(ErrorCode.ANSWER_CLOSED) from fault


def _own(rendered: Rendered) -> Rendered:
    """Put what is said in browsers alone in the place of what is said everywhere."""
    own = rendered.platforms.webpush
    if own is None:
        return rendered
    return replace(rendered, title=own.title or rendered.title, body=rendered.body if own.body is None else own.body)

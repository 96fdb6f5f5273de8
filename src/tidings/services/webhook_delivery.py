"""Telling a webhook: one message is written, signed and sent; what came back decides what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tidings.domain.audit import SYSTEM, Action, Subject
from tidings.domain.webhook import (
    DISABLED_AFTER,
    TRIES_END,
    DisabledBecause,
    Job,
    MessageStatus,
    Verdict,
    Webhook,
    WebhookAttempt,
)
from tidings.lib.backoff import retry_after
from tidings.lib.clock import Clock
from tidings.lib.egress import ForbiddenUrl
from tidings.lib.exchange import Reply
from tidings.lib.fetch import Fetch, Fetcher
from tidings.lib.log import cut
from tidings.lib.signed_webhooks import signed_headers
from tidings.storage import Store, Transaction

FIRST_DELAY = 10.0
"""Seconds before a message's second try, three times as many before each further one."""

LONGEST_DELAY = 8 * 3_600.0

BORNE = 3
"""Failures in a row after which all of a receiver's messages wait, and one try at a time finds out how it is."""

LONGEST_REST = 3_600.0

LONGEST_AFTER = 86_400.0
"""Seconds that a receiver may ask us to stay away for."""

MOST_ANSWER = 4_096
"""Bytes read of an answer; the rest is not waited for."""

KEPT_ANSWER = 500
"""Characters kept of the answer to a try that failed."""

GONE = 410

TEST_TEXT = "This is a test event. Your webhook works."


class WebhookDelivery:
    """Sends messages that are in hand, and writes down what came of it."""

    def __init__(self, *, store: Store, clock: Clock, fetcher: Fetcher, chance: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._fetcher = fetcher
        self._chance = chance

    async def tell(self, job: Job) -> WebhookAttempt | None:
        """Send a message and settle it; None where nothing was left to say."""
        events = await self.events(job)
        now = self._clock.now()
        if not events:
            done = Verdict(MessageStatus.DELIVERED)
            await self._store.write(lambda tx: tx.webhook_messages.settle(job, None, done, now=now))
            return None
        attempt, after = await self._asked(job, body_from(events, at=now), now)
        now = self._clock.now()
        verdict = judged(job, attempt, after=after, chance=self._chance(), now=now)

        def settle(tx: Transaction) -> None:
            before = tx.webhooks.get(job.webhook.app_id, job.webhook.public_id)
            mine = tx.webhook_messages.settle(job, attempt, verdict, now=now)
            if mine and verdict.disable is not None and before is not None and before.enabled:
                about = Subject("webhook", before.public_id, before.description or None)
                because = {"because": verdict.disable.value}
                turned_off = Action.WEBHOOK_TURNED_OFF
                tx.audit.add(SYSTEM, turned_off, app_id=before.app_id, subject=about, detail=because, now=now)

        await self._store.write(settle)
        return attempt

    async def events(self, job: Job) -> list[dict[str, Any]]:
        """Give what a message says."""
        if job.message.test:
            return [_test_event(job)]
        return await self._store.read(lambda tx: tx.webhook_messages.events(job.message))

    async def _asked(self, job: Job, body: bytes, now: datetime) -> tuple[WebhookAttempt, float | None]:
        seconds = int(now.timestamp())
        keys = keys_at(job.webhook, now)
        signed = signed_headers(keys, message_id=job.message.public_id, timestamp=seconds, body=body)
        what = Fetch(
            job.webhook.url,
            method="POST",
            headers=("Content-Type: application/json", "Accept: */*", "Expect:", *signed),
            body=body,
            most=MOST_ANSWER,
            cut=True,
        )
        try:
            answer = await self._fetcher.fetch(what)
        except ForbiddenUrl as forbidden:
            return WebhookAttempt(now, None, forbidden.fault.value, 0.0, cut(forbidden.detail, KEPT_ANSWER)), None
        if not isinstance(answer, Reply):
            took = max(0.0, (self._clock.now() - now).total_seconds())
            return WebhookAttempt(now, None, answer.kind.value, took, cut(answer.detail, KEPT_ANSWER)), None
        after = retry_after(
            answer.headers.get("retry-after"),
            now=now.timestamp(),
            cap=LONGEST_AFTER,
            said_at=answer.headers.get("date"),
        )
        said = "" if 200 <= answer.status < 300 else cut(answer.body, KEPT_ANSWER)
        return WebhookAttempt(now, answer.status, "", answer.seconds, said), after


def body_from(events: list[dict[str, Any]], *, at: datetime) -> bytes:
    """Write a request's body: `type`, `timestamp` and `data`, as Standard Webhooks has it."""
    said = {"type": "events", "timestamp": at.isoformat().replace("+00:00", "Z"), "data": {"events": events}}
    return msgspec.json.encode(said)


def keys_at(webhook: Webhook, now: datetime) -> tuple[bytes, ...]:
    """Give the secrets that sign now: after a rotation both, until the earlier one's time is over."""
    both = webhook.earlier_until is not None and now < webhook.earlier_until
    return webhook.secrets if both else webhook.secrets[:1]


def judged(job: Job, attempt: WebhookAttempt, *, after: float | None, chance: float, now: datetime) -> Verdict:
    """Decide what follows from a try. `chance` is a number in [0, 1) for the jitter, `after` what Retry-After asked."""
    if attempt.succeeded:
        return Verdict(MessageStatus.DELIVERED)
    if job.message.test:
        return Verdict(MessageStatus.FAILED, rests_until=job.webhook.rests_until)
    if attempt.status == GONE:
        return Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE)
    since = job.webhook.failing_since or now
    disable = DisabledBecause.FAILING if now - since >= DISABLED_AFTER else None
    rest = after or 0.0
    if job.webhook.failures + 1 >= BORNE:
        rest = max(rest, _spread(FIRST_DELAY, 2.0, job.webhook.failures + 1 - BORNE, LONGEST_REST, chance))
    delay = max(rest, _spread(FIRST_DELAY, 3.0, job.message.tries - 1, LONGEST_DELAY, chance))
    due = now + timedelta(seconds=delay)
    rests_until = now + timedelta(seconds=rest)
    if due >= job.message.begun_at + TRIES_END:
        return Verdict(MessageStatus.FAILED, rests_until=rests_until, disable=disable)
    return Verdict(MessageStatus.WAITING, due, rests_until, disable)


def _spread(first: float, factor: float, times: int, longest: float, chance: float) -> float:
    """Give seconds that grow with every time, between half and all of it, so that receivers are not asked in step."""
    whole: float = min(longest, first * factor ** min(times, 32))
    return whole * (0.5 + chance / 2)


def _test_event(job: Job) -> dict[str, Any]:
    at = job.message.created_at.isoformat().replace("+00:00", "Z")
    data = {"webhook": job.webhook.public_id, "text": TEST_TEXT}
    return {"id": f"{job.message.public_id}.0", "type": "webhook.test", "timestamp": at, "data": data}

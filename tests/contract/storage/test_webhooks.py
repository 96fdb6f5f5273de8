"""Outgoing webhooks on both databases: what is written down with what happens, in how few messages, in whose hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, func, select

from support.stored import Given, sent
from tidings.domain.app import App
from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import DeliveryStatus, SettledDelivery
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.webhook import (
    MOST_EVENTS,
    DisabledBecause,
    Job,
    MessageStatus,
    NewWebhook,
    Verdict,
    Webhook,
    WebhookAttempt,
    WebhookEvent,
    WebhookMessage,
    kinds_of,
    mask_of,
)
from tidings.storage import Store, Transaction
from tidings.storage.tables.webhooks import webhook_attempts, webhook_messages, webhook_outbox
from tidings.storage.transaction import SqlTransaction

EVERYTHING = tuple(WebhookEvent)
LEASE = 60.0
K = WebhookEvent


class Told:
    """An App with webhooks, and what they are told."""

    def __init__(self, store: Store, given: Given, app: App) -> None:
        self.store, self.given, self.app = store, given, app
        self._numbers = count(1)

    async def webhook(self, *kinds: WebhookEvent, app: App | None = None, **changes: Any) -> Webhook:
        new = replace(NewWebhook("https://hooks.example.com/token-123", kinds or EVERYTHING), **changes)
        public_id, of = f"whk_{next(self._numbers)}", (app or self.app).id
        return await self.store.write(
            lambda tx: tx.webhooks.add(of, new, public_id=public_id, secret=b"s" * 32, now=self.given.now)
        )

    async def gather(self, limit: int = 100) -> int:
        now = self.given.now
        return await self.store.write(
            lambda tx: tx.webhook_messages.gather(new_id=lambda: f"msg_{next(self._numbers)}", limit=limit, now=now)
        )

    async def messages(self, webhook: Webhook) -> list[WebhookMessage]:
        found = await self.store.read(lambda tx: tx.webhook_messages.page(webhook.id, after=0, limit=1_000))
        return found[::-1]

    async def said(self, webhook: Webhook) -> list[dict[str, Any]]:
        await self.gather()
        messages = await self.messages(webhook)
        return [
            event
            for one in messages
            for event in await self.store.read(lambda tx: tx.webhook_messages.events(one))  # noqa: B023
        ]

    async def take(self, webhook: Webhook, *, at: float = 0) -> Job | None:
        now = self.given.later(at)
        return await self.store.write(lambda tx: tx.webhook_messages.take(webhook.id, now=now, lease=LEASE))

    async def settle(self, job: Job, status: int, verdict: Verdict, *, at: float = 0) -> bool:
        now = self.given.later(at)
        attempt = WebhookAttempt(now, status, "", 0.25, "" if status < 300 else "no, user u-1")
        return await self.store.write(lambda tx: tx.webhook_messages.settle(job, attempt, verdict, now=now))

    async def ready(self, *, at: float = 0) -> list[tuple[int, bool]]:
        now = self.given.later(at)
        found = await self.store.read(lambda tx: tx.webhook_messages.ready(now=now, but=()))
        return [(one.webhook_id, one.doubtful) for one in found]

    async def now(self, webhook: Webhook) -> Webhook:
        found = await self.store.read(lambda tx: tx.webhooks.get(webhook.app_id, webhook.public_id))
        assert found is not None
        return found

    async def finished(self) -> None:
        """Let one thing happen."""
        notification = await self.given.notification(self.app)
        await self.given.set_status(notification, NotificationStatus.CANCELLED)


@pytest.fixture
async def told(store: Store, given: Given) -> Told:
    return Told(store, given, await given.app())


def rows(tx: Transaction) -> dict[str, int]:
    assert isinstance(tx, SqlTransaction)
    connection = tx.outbox._scope.connection  # type: ignore[attr-defined]
    tables = (webhook_outbox, webhook_messages, webhook_attempts)
    return {one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables}


def statements(tx: Transaction, seen: list[str]) -> None:
    """Note every statement of a transaction from now on."""
    assert isinstance(tx, SqlTransaction)
    connection = tx.outbox._scope.connection  # type: ignore[attr-defined]
    event.listen(connection, "before_cursor_execute", lambda _c, _k, statement, *_: seen.append(statement))


def test_kinds_are_kept_as_bits() -> None:
    assert kinds_of(mask_of([K.RECEIPT_CLICKED, K.DELIVERY_SENT])) == (K.DELIVERY_SENT, K.RECEIPT_CLICKED)
    assert kinds_of(mask_of(EVERYTHING)) == EVERYTHING


class TestWrittenDown:
    """What happened, in the transaction in which it did."""

    async def test_a_chunk_is_one_row_however_many_it_reached(self, told: Told, given: Given, store: Store) -> None:
        webhook = await told.webhook()
        key = await given.credential(told.app)
        ids = await given.devices(told.app, key, 300)
        notification = await given.notification(told.app)
        shard = await given.claimed(await given.shard(notification))
        failed = tuple(SettledDelivery(one, DeliveryStatus.FAILED, "gone", 2) for one in ids[250:])
        retired = tuple([await given.retired(one, "410") for one in ids[250:]])
        assert await given.settle(shard, (*sent(*ids[:250]), *failed), retired=retired)
        assert (await store.read(rows))["webhook_outbox"] == 2  # of deliveries, and of devices
        said = await told.said(webhook)
        assert len(said) == 350
        kinds = {kind: [one for one in said if one["type"] == kind] for kind in K}
        assert len(kinds[K.DELIVERY_SENT]) == 250
        assert len(kinds[K.SUBSCRIPTION_EXPIRED]) == 50
        (first, *_), (gone, *_) = kinds[K.DELIVERY_FAILED], kinds[K.SUBSCRIPTION_EXPIRED]
        assert first["data"]["notification"] == notification.public_id
        assert (first["data"]["reason"], first["data"]["tries"], gone["data"]["reason"]) == ("gone", 2, "410")
        assert len({one["id"] for one in said}) == 350

    async def test_nothing_is_said_of_a_chunk_whose_lease_was_lost(
        self, told: Told, given: Given, store: Store
    ) -> None:
        await told.webhook()
        ids = await given.devices(told.app, await given.credential(told.app), 2)
        shard = await given.claimed(await given.shard(await given.notification(told.app)))
        assert not await given.settle(replace(shard, lease_token=99), sent(*ids))
        assert (await store.read(rows))["webhook_outbox"] == 0

    async def test_receipts_and_the_end_of_a_notification_are_told(
        self, told: Told, given: Given, store: Store
    ) -> None:
        webhook = await told.webhook(K.RECEIPT_ANSWERED, K.RECEIPT_SHOWN, K.NOTIFICATION_FINISHED)
        device = await given.device(told.app, await given.credential(told.app), user_external_id="u-1")
        notification = await given.notification(told.app)
        shard = await given.claimed(await given.shard(notification))
        await given.settle(shard, sent(device.id))
        await store.write(lambda tx: tx.shards.finish(shard.id, shard.lease_token))
        assert await given.finish(notification)
        for kind, action in ((ReceiptEvent.ANSWERED, "yes"), (ReceiptEvent.CLICKED, ""), (ReceiptEvent.SHOWN, "")):
            report = Receipt(notification.id, device.id, kind, action, given.now)
            assert await store.write(lambda tx, one=report: tx.receipts.add(one))  # type: ignore[misc]
            assert not await store.write(lambda tx, one=report: tx.receipts.add(one))  # type: ignore[misc]
        finished, answered, shown = await told.said(webhook)
        assert finished["type"] == "notification.finished"
        assert finished["data"] == {
            "notification": notification.public_id, "status": "done", "audience": 1,
            "sent": 1, "failed": 0, "expired": 0, "skipped": 0,
        }  # fmt: skip
        assert answered["data"] == {
            "notification": notification.public_id, "subscription": device.public_id, "user": "u-1", "action": "yes",
        }  # fmt: skip
        assert shown["type"] == "receipt.shown"
        assert answered["timestamp"].endswith("Z")

    async def test_a_cancelled_notification_has_ended_once(self, told: Told, given: Given) -> None:
        webhook = await told.webhook(K.NOTIFICATION_FINISHED)
        notification = await given.notification(told.app)
        assert await given.set_status(notification, NotificationStatus.CANCELLED, NotificationStatus.QUEUED)
        assert not await given.set_status(notification, NotificationStatus.CANCELLED, NotificationStatus.QUEUED)
        assert not await given.finish(notification)
        (said,) = await told.said(webhook)
        assert said["data"]["status"] == "cancelled"

    async def test_devices_that_expire_with_their_key_are_told_by_thousands(
        self, told: Told, given: Given, store: Store
    ) -> None:
        webhook = await told.webhook(K.SUBSCRIPTION_EXPIRED)
        key, other = await given.credential(told.app), await given.credential(told.app, "key-2")
        await given.devices(told.app, key, 1_100)
        await given.devices(told.app, other, 3)
        await store.write(lambda tx: tx.outbox.expiring(told.app.id, key.id, "revoked", now=given.now))
        assert (await store.read(rows))["webhook_outbox"] == 2
        said = await told.said(webhook)
        assert len(said) == 1_100
        assert {one["data"]["reason"] for one in said} == {"revoked"}
        assert [one.events for one in await told.messages(webhook)] == [1_000, 100]

    async def test_only_what_is_wanted_is_written_down(self, told: Told, given: Given, store: Store) -> None:
        await told.webhook(K.RECEIPT_CLICKED)
        await told.webhook(K.NOTIFICATION_FINISHED, enabled=False)
        await told.finished()
        device = await given.device(told.app, None)
        await store.write(
            lambda tx: tx.outbox.device(told.app.id, device.id, K.SUBSCRIPTION_CREATED, "", now=given.now)
        )
        await store.write(lambda tx: tx.outbox.imported(told.app.id, [device.public_id], now=given.now))
        assert not await store.read(lambda tx: tx.outbox.waits())

    async def test_imported_devices_are_told(self, told: Told, given: Given, store: Store) -> None:
        webhook = await told.webhook(K.SUBSCRIPTION_CREATED)
        device = await given.device(told.app, None)
        ids = [device.public_id, "sub_known_before"]
        await store.write(lambda tx: tx.outbox.imported(told.app.id, ids, now=given.now))
        (said,) = await told.said(webhook)
        assert said["data"] == {
            "subscription": device.public_id, "user": None, "provider": "webpush", "reason": "imported",
        }  # fmt: skip

    @pytest.mark.parametrize("wanted", [False, True])
    async def test_without_a_webhook_a_chunk_costs_no_statement_more(
        self, told: Told, given: Given, store: Store, wanted: bool
    ) -> None:
        if wanted:
            await told.webhook(K.DELIVERY_SENT)
        ids = await given.devices(told.app, await given.credential(told.app), 5)
        shard = await given.claimed(await given.shard(await given.notification(told.app)))
        seen: list[str] = []

        def settle(tx: Transaction) -> None:
            statements(tx, seen)
            from tidings.domain.delivery import Settlement

            tx.shards.settle(Settlement(shard.id, shard.lease_token, 1, ids[-1], sent(*ids)), now=given.now)

        await store.write(settle)
        assert sum("webhook_outbox" in one for one in seen) == (1 if wanted else 0)
        assert sum("webhook_kinds" in one and not one.startswith("UPDATE shards") for one in seen) == 0


class TestGathering:
    """From the outbox to messages."""

    async def test_each_webhook_gets_what_it_wants_and_other_apps_nothing(self, told: Told, given: Given) -> None:
        other = await given.app("Other")
        all_of_it, none, elsewhere = (
            await told.webhook(),
            await told.webhook(K.RECEIPT_CLICKED),
            await told.webhook(app=other),
        )
        await told.finished()
        assert await told.gather() == 1
        assert await told.gather() == 0
        assert [len(await told.messages(one)) for one in (all_of_it, none, elsewhere)] == [1, 0, 0]

    async def test_messages_hold_a_thousand_and_what_nobody_was_sent_yet_grows(
        self, told: Told, given: Given, store: Store
    ) -> None:
        webhook = await told.webhook()
        device = await given.device(told.app, None)

        def many(number: int) -> Any:
            def work(tx: Transaction) -> None:
                for _ in range(number):
                    tx.outbox.device(told.app.id, device.id, K.SUBSCRIPTION_UNSUBSCRIBED, "", now=given.now)

            return work

        await store.write(many(3))
        await told.gather()
        await store.write(many(2))
        await told.gather()
        assert [one.events for one in await told.messages(webhook)] == [5]
        job = await told.take(webhook)
        assert job is not None
        before = await store.read(lambda tx: tx.webhook_messages.events(job.message))
        await store.write(many(2))
        await told.gather()
        assert [one.events for one in await told.messages(webhook)] == [5, 2]
        assert await store.read(lambda tx: tx.webhook_messages.events(job.message)) == before
        await store.write(many(MOST_EVENTS + 1))
        await told.gather(limit=2_000)
        assert [one.events for one in await told.messages(webhook)] == [5, 1_000, 3]
        said = await told.said(webhook)
        assert len({one["id"] for one in said}) == 1_008

    async def test_two_who_gather_at_once_make_each_message_once(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        for _ in range(8):
            await told.finished()
        gathered = await asyncio.gather(*(told.gather(limit=3) for _ in range(6)))
        while more := await told.gather():
            gathered.append(more)
        assert sum(gathered) == 8
        assert sum(one.events for one in await told.messages(webhook)) == 8

    async def test_what_a_disabled_one_was_to_be_told_is_not_made_a_message(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        await told.finished()
        off = NewWebhook(webhook.url, webhook.kinds, enabled=False)
        await store.write(lambda tx: tx.webhooks.change(webhook.id, off, now=told.given.now))
        await told.gather()
        assert await told.messages(webhook) == []


class TestInHand:
    """One call at a time, whoever makes it."""

    async def test_a_webhook_is_in_one_hand_and_due_again_when_that_hand_is_dead(self, told: Told) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        assert await told.ready() == [(webhook.id, False)]
        first = await told.take(webhook)
        assert first is not None
        assert first.message.tries == 1
        assert await told.take(webhook) is None
        assert await told.ready() == []
        assert await told.ready(at=LEASE + 1) == [(webhook.id, False)]
        second = await told.take(webhook, at=LEASE + 1)
        assert second is not None
        assert (second.message.public_id, second.message.tries) == (first.message.public_id, 2)
        assert not await told.settle(first, 200, Verdict(MessageStatus.DELIVERED), at=LEASE + 2)
        assert (await told.messages(webhook))[0].status is MessageStatus.WAITING
        assert await told.settle(second, 200, Verdict(MessageStatus.DELIVERED), at=LEASE + 3)
        assert (await told.messages(webhook))[0].status is MessageStatus.DELIVERED

    async def test_of_many_who_reach_for_it_one_gets_it(self, told: Told) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        taken = await asyncio.gather(*(told.take(webhook) for _ in range(6)))
        assert sum(one is not None for one in taken) == 1

    async def test_failing_rests_and_success_forgets_that(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        job = await told.take(webhook)
        assert job is not None
        later = Verdict(MessageStatus.WAITING, told.given.later(30), told.given.later(10))
        assert await told.settle(job, 500, later)
        after = await told.now(webhook)
        assert (after.failures, after.failing_since, after.rests_until) == (1, told.given.now, told.given.later(10))
        await told.finished()
        await told.gather()
        assert await told.ready(at=9) == []
        assert await told.ready(at=11) == [(webhook.id, True)]
        newer = await told.take(webhook, at=11)
        assert newer is not None
        assert newer.message.id != job.message.id
        assert await told.settle(newer, 204, Verdict(MessageStatus.DELIVERED), at=11)
        assert (await told.now(webhook)).failures == 0
        again = await told.take(webhook, at=31)
        assert again is not None
        assert (again.message.id, again.message.tries) == (job.message.id, 2)
        tries = await store.read(lambda tx: tx.webhook_messages.attempts(job.message.id, limit=10))
        assert [(one.status, one.answer, one.seconds) for one in tries] == [(500, "no, user u-1", 0.25)]

    async def test_one_that_is_turned_off_says_why_and_wants_nothing_more(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        job = await told.take(webhook)
        assert job is not None
        await told.settle(job, 410, Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE))
        assert [one.disabled_because for one in await store.read(lambda tx: tx.webhooks.disabled(told.app.id))] == [
            DisabledBecause.GONE
        ]
        await told.finished()
        assert not await store.read(lambda tx: tx.outbox.waits())
        on = NewWebhook(webhook.url, webhook.kinds)
        assert (await store.write(lambda tx: tx.webhooks.change(webhook.id, on, now=told.given.now))).failures == 0
        await told.finished()
        assert await store.read(lambda tx: tx.outbox.waits())

    async def test_leases_of_the_dead_end_at_once_where_nobody_else_can_hold_any(
        self, told: Told, store: Store
    ) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        assert await told.take(webhook) is not None
        await store.write(lambda tx: tx.webhook_messages.free(now=told.given.now))
        assert await told.take(webhook) is not None


class TestTheLog:
    """What was told, kept for a while, and told again."""

    async def test_messages_are_sent_again_alone_by_time_and_by_status(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        for status in (MessageStatus.DELIVERED, MessageStatus.FAILED):
            await told.finished()
            await told.gather()
            job = await told.take(webhook)
            assert job is not None
            await told.settle(job, 200 if status is MessageStatus.DELIVERED else 500, Verdict(status))
        delivered, failed = await told.messages(webhook)
        span = {"since": told.given.later(-1), "until": told.given.later(1), "now": told.given.later(5)}
        failed_ones: Any = {**span, "status": MessageStatus.FAILED}
        assert await store.write(lambda tx: tx.webhook_messages.again(webhook.id, **failed_ones)) == 1
        assert await store.write(lambda tx: tx.webhook_messages.again(webhook.id, **failed_ones)) == 0
        assert [one.status for one in await told.messages(webhook)] == [MessageStatus.DELIVERED, MessageStatus.WAITING]
        # What is sent again stays what it was.
        await told.finished()
        await told.gather()
        assert [one.events for one in await told.messages(webhook)] == [1, 1, 1]
        job = await told.take(webhook, at=5)
        assert job is not None
        assert job.message.public_id == failed.public_id or job.message.id > failed.id
        now = told.given.later(6)
        again = await store.write(lambda tx: tx.webhook_messages.again(webhook.id, message_id=delivered.id, now=now))
        assert again == 1
        early: Any = {"since": told.given.later(-9), "until": told.given.later(-8), "now": now}
        assert await store.write(lambda tx: tx.webhook_messages.again(webhook.id, **early)) == 0

    async def test_the_log_has_its_time_and_what_waits_has_not(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        for _ in range(2):
            await told.finished()
            await told.gather()
            if job := await told.take(webhook):
                await told.settle(job, 500, Verdict(MessageStatus.FAILED))
        await told.finished()
        await told.gather()
        before = told.given.later(60)
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=told.given.now, limit=10)) == 0
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=before, limit=1)) == 1
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=before, limit=10)) == 1
        assert await store.read(rows) == {"webhook_outbox": 0, "webhook_messages": 1, "webhook_attempts": 0}
        assert await store.write(lambda tx: tx.webhook_messages.give_up(before=before, now=before)) == 1
        (late,) = await told.messages(webhook)
        assert (late.status, late.last_failure) == (MessageStatus.FAILED, "never_told")

    async def test_secrets_and_the_url_are_sealed_and_both_secrets_are_kept(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        until = told.given.now + timedelta(hours=1)
        rotated = await store.write(
            lambda tx: tx.webhooks.rotate(webhook.id, b"n" * 32, earlier_until=until, now=told.given.now)
        )
        assert rotated.secrets == (b"n" * 32, b"s" * 32)
        assert rotated.earlier_until == until
        assert (await told.now(webhook)).url == "https://hooks.example.com/token-123"
        assert "token-123" not in repr(webhook)

    async def test_a_deleted_one_leaves_nothing(self, told: Told, store: Store) -> None:
        webhook = await told.webhook()
        await told.finished()
        await told.gather()
        job = await told.take(webhook)
        assert job is not None
        await told.settle(job, 500, Verdict(MessageStatus.WAITING, told.given.now))
        await store.write(lambda tx: tx.webhooks.delete(webhook.id))
        assert await store.read(rows) == {"webhook_outbox": 0, "webhook_messages": 0, "webhook_attempts": 0}
        await told.finished()
        assert not await store.read(lambda tx: tx.outbox.waits())


class TestErasing:
    """Whoever is erased is taken out of what is told."""

    async def test_nothing_is_said_of_a_person_who_was_erased(self, told: Told, given: Given, store: Store) -> None:
        webhook = await told.webhook()
        device = await given.device(told.app, None, user_external_id="u-1")
        other = await given.device(told.app, None, user_external_id="u-2")
        for one in (device, other):
            await store.write(
                lambda tx, of=one.id: tx.outbox.device(told.app.id, of, K.SUBSCRIPTION_CREATED, "", now=given.now)  # type: ignore[misc]
            )
        await told.gather()
        job = await told.take(webhook)
        assert job is not None
        await told.settle(job, 500, Verdict(MessageStatus.WAITING, given.now))
        erasure = await store.write(lambda tx: tx.erasures.user(told.app, "u-1", public_id="era_1", now=given.now))
        (left,) = await store.read(lambda tx: tx.webhook_messages.events(job.message))
        assert left["data"]["user"] == "u-2"
        assert left["id"] == f"{job.message.public_id}.1"
        (tried,) = await store.read(lambda tx: tx.webhook_messages.attempts(job.message.id, limit=5))
        assert tried.answer == ""
        while await store.write(lambda tx: tx.erasures.step(erasure.id, limit=500, now=given.now)):
            pass
        assert len(await store.read(lambda tx: tx.webhook_messages.events(job.message))) == 1

    async def test_an_app_that_is_erased_tells_nothing_more(self, told: Told, given: Given, store: Store) -> None:
        await told.webhook()
        await told.finished()
        await told.gather()
        erasure = await store.write(lambda tx: tx.erasures.app(told.app, public_id="era_1", now=given.now))
        assert await told.ready() == []
        while await store.write(lambda tx: tx.erasures.step(erasure.id, limit=500, now=given.now)):
            pass
        assert await store.read(rows) == {"webhook_outbox": 0, "webhook_messages": 0, "webhook_attempts": 0}

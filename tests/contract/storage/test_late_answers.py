"""Webhooks while somebody else changes, deletes or erases: on both databases nothing is lost and nothing is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import insert
from tests.contract.storage.test_webhooks import LEASE, K, Told, rows

from support.stored import Given
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.webhook import DisabledBecause, Job, MessageStatus, NewWebhook, Verdict, Webhook, WebhookEvent
from tidings.lib.clock import FixedClock
from tidings.lib.egress import AddressGuard
from tidings.lib.fetch import Fetcher
from tidings.lib.ids import Ids
from tidings.services.webhooks import Changes, Webhooks
from tidings.storage import Store, Transaction
from tidings.storage.tables.webhooks import webhook_attempts
from tidings.storage.transaction import SqlTransaction

FAILED = Verdict(MessageStatus.FAILED)
DELIVERED = Verdict(MessageStatus.DELIVERED)
TIMES = 6


@pytest.fixture
async def told(store: Store, given: Given) -> Told:
    return Told(store, given, await given.app())


@pytest.fixture
def service(store: Store, clock: FixedClock) -> Webhooks:
    fetcher = Fetcher(guard=AddressGuard())
    return Webhooks(store=store, clock=clock, ids=Ids(clock), fetcher=fetcher, delivery=None)  # type: ignore[arg-type]


async def in_hand(told: Told, webhook: Webhook) -> Job:
    await told.finished()
    await told.gather()
    job = await told.take(webhook)
    assert job is not None
    return job


async def trial(told: Told, webhook: Webhook) -> Job:
    now = told.given.now
    return await told.store.write(
        lambda tx: tx.webhook_messages.add_test(webhook, public_id="msg_test", now=now, lease=LEASE)
    )


async def erased(told: Told, erasure_id: int) -> None:
    while await told.store.write(lambda tx: tx.erasures.step(erasure_id, limit=500, now=told.given.now)):
        pass


async def answers(told: Told, job: Job) -> list[str]:
    tries = await told.store.read(lambda tx: tx.webhook_messages.attempts(job.message.id, limit=9))
    return [one.answer for one in tries]


class TestLateAnswers:
    """What a receiver says after that was forgotten which it was told."""

    @pytest.mark.parametrize("test", [False, True])
    async def test_an_answer_is_not_kept_once_a_person_was_erased(self, told: Told, given: Given, test: bool) -> None:
        webhook = await told.webhook()
        await given.device(told.app, None, user_external_id="u-1")
        job = await (trial if test else in_hand)(told, webhook)
        begun = await told.store.write(lambda tx: tx.erasures.user(told.app, "u-1", public_id="era_1", now=given.now))
        await erased(told, begun.id)
        assert await told.settle(job, 500, FAILED)
        assert await answers(told, job) == [""]
        assert await told.settle(later := await in_hand(told, webhook), 500, FAILED)
        assert await answers(told, later) == ["no, user u-1"]

    async def test_somebody_of_another_app_takes_no_answer_away(self, told: Told, given: Given) -> None:
        job = await in_hand(told, await told.webhook())
        other = await given.app("Other")
        await told.store.write(lambda tx: tx.erasures.user(other, "u-1", public_id="era_1", now=given.now))
        assert await told.settle(job, 500, FAILED)
        assert await answers(told, job) == ["no, user u-1"]

    @pytest.mark.parametrize("test", [False, True])
    async def test_of_a_webhook_that_was_deleted_nothing_is_kept(self, told: Told, test: bool) -> None:
        webhook = await told.webhook()
        job = await (trial if test else in_hand)(told, webhook)
        await told.store.write(lambda tx: tx.webhooks.delete(webhook.id))
        assert not await told.settle(job, 500, FAILED)
        assert (await told.store.read(rows))["webhook_attempts"] == 0

    @pytest.mark.parametrize("test", [False, True])
    async def test_of_an_app_that_is_being_erased_nothing_is_kept(self, told: Told, given: Given, test: bool) -> None:
        job = await (trial if test else in_hand)(told, await told.webhook())
        begun = await told.store.write(lambda tx: tx.erasures.app(told.app, public_id="era_1", now=given.now))
        assert not await told.settle(job, 500, FAILED)
        await erased(told, begun.id)
        assert not await told.settle(job, 500, FAILED)
        assert (await told.store.read(rows))["webhook_attempts"] == 0

    async def test_tries_without_a_message_have_their_time_too(self, told: Told, given: Given, store: Store) -> None:
        job = await in_hand(told, await told.webhook())
        assert await told.settle(job, 500, FAILED)

        def orphan(tx: Transaction) -> None:
            assert isinstance(tx, SqlTransaction)
            connection = tx.outbox._scope.connection  # type: ignore[attr-defined]
            values = {"message_id": 99, "app_id": 1, "at": given.now, "failure": "", "milliseconds": 1, "answer": "u-1"}
            connection.execute(insert(webhook_attempts).values(values))

        await store.write(orphan)
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=given.now, limit=10)) == 0
        before = given.later(1)
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=before, limit=10)) == 1
        assert await store.write(lambda tx: tx.webhook_messages.purge(before=before, limit=10)) == 1
        assert await store.read(rows) == {"webhook_outbox": 0, "webhook_messages": 0, "webhook_attempts": 0}


class TestBeside:
    """What goes on while a call is under way."""

    async def test_a_test_takes_nothing_out_of_another_hand(self, told: Told) -> None:
        webhook = await told.webhook()
        job = await in_hand(told, webhook)
        test = await trial(told, webhook)
        assert await told.settle(test, 200, DELIVERED)
        assert await told.take(webhook) is None, "the call is still under way"
        assert await told.settle(job, 200, DELIVERED)
        assert await told.take(webhook, at=LEASE + 1) is None
        assert {one.status for one in await told.messages(webhook)} == {MessageStatus.DELIVERED}

    async def test_a_late_answer_of_the_old_place_turns_the_new_one_not_off(self, told: Told) -> None:
        webhook = await told.webhook()
        job = await in_hand(told, webhook)
        elsewhere = NewWebhook("https://hooks.example.com/new", webhook.kinds)
        await told.store.write(lambda tx: tx.webhooks.change(webhook.id, elsewhere, now=told.given.now))
        assert not await told.settle(job, 410, Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE))
        assert (await told.now(webhook)).enabled
        again = await told.take(webhook, at=LEASE + 1)
        assert again is not None
        assert (again.message.id, again.webhook.url) == (job.message.id, elsewhere.url)

    async def test_why_it_is_off_stays_until_it_is_on_or_goes_elsewhere(self, told: Told) -> None:
        webhook = await told.webhook()
        await told.settle(
            await in_hand(told, webhook), 410, Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE)
        )
        off = NewWebhook(webhook.url, webhook.kinds, "Our CRM", enabled=False)
        changed = await told.store.write(lambda tx: tx.webhooks.change(webhook.id, off, now=told.given.now))
        assert (changed.description, changed.disabled_because) == ("Our CRM", DisabledBecause.GONE)
        on = replace(off, enabled=True)
        changed = await told.store.write(lambda tx: tx.webhooks.change(webhook.id, on, now=told.given.now))
        assert changed.disabled_because is None

    async def test_one_that_waits_is_due_now_when_it_is_to_be_sent_again(self, told: Told) -> None:
        webhook = await told.webhook()
        job = await in_hand(told, webhook)
        await told.settle(job, 500, Verdict(MessageStatus.WAITING, told.given.later(8 * 3_600)))
        assert await told.take(webhook, at=1) is None
        now = told.given.later(1)
        await told.store.write(lambda tx: tx.webhook_messages.again(webhook.id, message_id=job.message.id, now=now))
        again = await told.take(webhook, at=1)
        assert again is not None
        assert (again.message.id, again.message.tries) == (job.message.id, 2)

    async def test_a_clock_that_goes_back_silences_nobody(self, told: Told) -> None:
        """A call that is under way keeps its lease, and nobody waits for a time that has been already."""
        rested, free, busy = [await told.webhook() for _ in range(3)]
        await told.finished()
        await told.gather()
        ahead = 6 * 3_600.0
        jobs = [await told.take(one, at=ahead) for one in (rested, free, busy)]
        assert jobs[0] is not None
        assert jobs[1] is not None
        assert jobs[2] is not None
        later = Verdict(MessageStatus.WAITING, told.given.later(ahead + 20), told.given.later(ahead + 10))
        assert await told.settle(jobs[0], 500, later, at=ahead)
        assert await told.settle(jobs[1], 200, DELIVERED, at=ahead)
        await told.finished()
        await told.gather()
        assert await told.ready(at=1) == []
        now, was = told.given.later(1), told.given.later(ahead + 1)
        for _ in range(2):
            await told.store.write(lambda tx: tx.webhook_messages.clock_went_back(now=now, was=was, lease=LEASE))
        assert busy.id not in {one for one, _ in await told.ready(at=LEASE)}
        assert {one for one, _ in await told.ready(at=LEASE + 2)} == {rested.id, free.id, busy.id}
        assert await told.settle(jobs[2], 200, DELIVERED, at=2)


class TestAtOnce:
    """Two who change webhooks in the same moment."""

    async def test_none_of_several_changes_is_lost(self, told: Told, service: Webhooks) -> None:
        url = "https://hooks.example.com/new"
        for _ in range(TIMES):
            made = (
                await service.create(told.app.id, NewWebhook("https://hooks.example.com/x", (K.DELIVERY_SENT,)))
            ).webhook
            every = (Changes(enabled=False), Changes(description="x"), Changes(url=url))
            await asyncio.gather(*(service.change(told.app.id, made.public_id, one) for one in every))
            found = await service.get(told.app.id, made.public_id)
            assert (found.enabled, found.description, found.url) == (False, "x", url)

    async def test_what_is_changed_while_it_is_deleted_is_not_found(self, told: Told, service: Webhooks) -> None:
        for _ in range(TIMES):
            made = (
                await service.create(told.app.id, NewWebhook("https://hooks.example.com/x", (K.DELIVERY_SENT,)))
            ).webhook
            came = await asyncio.gather(
                service.delete(told.app.id, made.public_id),
                service.change(told.app.id, made.public_id, Changes(description="x")),
                service.delete(told.app.id, made.public_id),
                return_exceptions=True,
            )
            wrong = [one for one in came if isinstance(one, BaseException)]
            assert wrong
            assert all(isinstance(one, CatalogueError) and one.code is ErrorCode.NOT_FOUND for one in wrong), wrong

    async def test_what_another_wants_is_kept_when_one_turns_itself_off(self, told: Told, service: Webhooks) -> None:
        """Whatever the order, what is left of the App's webhooks decides what is written down."""
        stays = await told.webhook(WebhookEvent.RECEIPT_CLICKED)
        for number in range(TIMES):
            goes = await told.webhook(WebhookEvent.NOTIFICATION_FINISHED)
            job = await in_hand(told, goes)
            wants = (K.RECEIPT_CLICKED, K.NOTIFICATION_FINISHED) if number % 2 else (K.RECEIPT_CLICKED,)
            await asyncio.gather(
                told.settle(job, 410, Verdict(MessageStatus.FAILED, disable=DisabledBecause.GONE)),
                service.change(told.app.id, stays.public_id, Changes(kinds=wants)),
            )
            await told.finished()
            assert await told.store.read(lambda tx: tx.outbox.waits()) is bool(number % 2)
            await told.gather()

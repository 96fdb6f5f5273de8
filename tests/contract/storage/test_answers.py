"""Answers to questions on both databases: one for each device, which may become another."""

from __future__ import annotations

import asyncio

from support.stored import Given, sent
from tidings.domain.campaign import NotificationStatus
from tidings.domain.receipt import Answering, Receipt, ReceiptEvent
from tidings.domain.webhook import NewWebhook, WebhookEvent
from tidings.storage import Store


async def test_an_answer_is_changed_in_its_place_and_told(store: Store, given: Given) -> None:
    app = await given.app()
    hook = NewWebhook("https://hooks.example.com/x", (WebhookEvent.RECEIPT_ANSWERED,))
    await store.write(lambda tx: tx.webhooks.add(app.id, hook, public_id="whk_1", secret=b"s", now=given.now))
    device = await given.device(app, await given.credential(app))
    notification = await given.notification(app)
    await given.settle(await given.claimed(await given.shard(notification)), sent(device.id))

    def answer(action: str) -> Receipt:
        return Receipt(notification.id, device.id, ReceiptEvent.ANSWERED, action, given.now)

    async def answering() -> Answering:
        return await store.read(lambda tx: tx.receipts.answering(notification.id, device.id))

    assert await answering() == Answering(open=True, action=None)
    assert not await store.write(lambda tx: tx.receipts.change_answer(answer("yes")))
    assert await store.write(lambda tx: tx.receipts.add(answer("yes")))
    assert await answering() == Answering(open=True, action="yes")
    assert not await store.write(lambda tx: tx.receipts.change_answer(answer("yes")))
    changed = await asyncio.gather(*(store.write(lambda tx: tx.receipts.change_answer(answer("no"))) for _ in range(4)))
    assert sum(changed) == 1
    assert await store.read(lambda tx: tx.receipts.answers(notification.id)) == {"no": 1}
    assert (await given.look(notification)).counts.answered == 1
    await store.write(lambda tx: tx.webhook_messages.gather(new_id=lambda: "msg_1", limit=10, now=given.now))
    (message,) = await store.read(lambda tx: tx.webhook_messages.page(1, after=0, limit=9))
    told = await store.read(lambda tx: tx.webhook_messages.events(message))
    assert [one["data"]["action"] for one in told] == ["yes", "no"]


async def test_a_question_closes_with_its_details_and_for_whoever_is_erased(store: Store, given: Given) -> None:
    app = await given.app()
    key = await given.credential(app)
    device, other = await given.device(app, key), await given.device(app, key)
    notification = await given.notification(app)
    await store.write(lambda tx: tx.erasures.device(app, other.public_id, public_id="era_1", now=given.now))
    assert not (await store.read(lambda tx: tx.receipts.answering(notification.id, other.id))).open
    assert (await store.read(lambda tx: tx.receipts.answering(notification.id, device.id))).open
    await given.set_status(notification, NotificationStatus.DONE)
    while await store.write(lambda tx: tx.retention.clear_details(notification.id, limit=9, now=given.now)):
        pass
    assert not (await store.read(lambda tx: tx.receipts.answering(notification.id, device.id))).open
    assert not (await store.read(lambda tx: tx.receipts.answering(notification.id, 99_999))).open

"""Load: what the next chunk of a shard holds, read in the same transaction that settles the chunk before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter

from tidings.domain.app import Credential
from tidings.domain.campaign import FINAL_STATUSES, Notification, NotificationStatus
from tidings.domain.delivery import DeliveryStatus, Retry, SettledDelivery, Shard, SkipReason
from tidings.domain.outcome import Outcome
from tidings.domain.person import Person
from tidings.domain.subscription import Recipient
from tidings.pipeline.deliver import RECALLED
from tidings.services.sorting import id_of, matter_of, sort
from tidings.storage import Transaction

place_of: Callable[[Recipient], tuple[str, str]] = itemgetter(1, 6)
"""The provider and the origin of a recipient."""

CHUNK_SIZE = 200
"""Recipients a chunk aims at: what is in doubt after a crash, and what one transaction settles."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The next recipients of a shard, sorted by what can be done with them.

    `tries` maps a subscription to the tries it had before, `puzzling` to how many of them ended with an answer that
    nobody could make sense of, where there is one. `held` are recipients whose integration is paused.
    `settled` were decided without a try; who is in `put_off` is to be told from a moment on. `cursor` is the shard's
    cursor once the batch is settled. `people` are those who use the recipients' devices, where what is said depends on
    them. `doubtful` may have been told by somebody who died.
    """

    notification: Notification
    number: int
    cursor: int
    recipients: tuple[Recipient, ...]
    credentials: dict[int, Credential]
    tries: dict[int, int] = field(default_factory=dict)
    held: tuple[int, ...] = ()
    settled: tuple[SettledDelivery, ...] = ()
    people: Mapping[int, Person] = field(default_factory=dict)
    put_off: dict[int, datetime] = field(default_factory=dict)
    puzzling: Mapping[int, int] = field(default_factory=dict)
    doubtful: frozenset[int] = frozenset()

    def again(self, subscription_id: int) -> Retry:
        """Give a recipient as it came: to be tried later, without a try now."""
        return Retry(subscription_id, self.tries[subscription_id], self.puzzling.get(subscription_id, 0))

    def known(self, outcomes: dict[int, Outcome]) -> dict[int, Outcome]:
        """Leave out who came back unsent, and may have been told by whoever had the chunk before."""
        if not self.doubtful:
            return outcomes
        return {one: what for one, what in outcomes.items() if what != RECALLED or one not in self.doubtful}

    @property
    def of(self) -> str:
        """Give the public id of its notification."""
        return self.notification.public_id

    @property
    def waits(self) -> bool:
        """Say whether nothing can be done with anybody until an integration goes on."""
        return bool(self.held) and not (self.recipients or self.settled or self.put_off)


def load(
    tx: Transaction, shard: Shard, *, cursor: int, number: int, now: datetime, of: Notification | None = None
) -> Batch | None:
    """Read the next batch after `cursor`; None at the end of the shard or when its notification is not to be sent.

    `of` is the notification where it has been read before: what it says does not change, only whether it is sent.
    """
    if not tx.notifications.wanted(shard.notification_id):
        return None
    notification = of or tx.notifications.by_id(shard.notification_id)
    if notification is None:
        return None
    return following(tx, shard, notification, cursor=cursor, number=number, now=now)


def opened(
    tx: Transaction, shard: Shard, *, cursor: int, number: int, now: datetime, of: Notification | None = None
) -> Batch | None:
    """Read the next batch, and note that it is about to be sent."""
    batch = load(tx, shard, cursor=cursor, number=number, now=now, of=of)
    if batch is not None and not batch.waits:
        tx.shards.open_chunk(shard.id, shard.lease_token, number, high=batch.cursor)
    return batch


def inherited(batch: Batch | None, shard: Shard) -> Batch | None:
    """Note who of a shard's first batch was in the chunk that its last holder had open, and may have been told."""
    if batch is None or shard.chunk_high is None:
        return batch
    told = batch.tries if shard.retries else (one for one in batch.tries if one <= shard.chunk_high)
    return replace(batch, doubtful=frozenset(told))


def unwanted(tx: Transaction, ids: Collection[int]) -> frozenset[int]:
    """Give those of the notifications of which nothing more is to leave now."""
    return frozenset(ids if tx.instance.paused() is not None else tx.notifications.stopped(ids))


def goes_on(tx: Transaction, shard: Shard, cursor: int, *, now: datetime) -> bool:
    """Say whether somebody is left: the notification was paused, or was and has been resumed since the last batch."""
    notification = tx.notifications.by_id(shard.notification_id)
    if notification is None or notification.status in FINAL_STATUSES:
        return False
    paused = notification.status is NotificationStatus.PAUSED
    return paused or following(tx, shard, notification, cursor=cursor, number=0, now=now) is not None


def rest(tx: Transaction, *, shard: Shard, until: datetime, now: datetime) -> None:
    """Give a shard back until a moment; was its notification cancelled, nobody else completes its counters."""
    tx.shards.release(shard.id, shard.lease_token, not_before=until)
    tx.notifications.finish_if_settled(shard.notification_id, now=now)


def following(
    tx: Transaction, shard: Shard, notification: Notification, *, cursor: int, number: int, now: datetime
) -> Batch | None:
    """Read the next batch after `cursor`, whatever the notification's status; None at the end of the shard."""
    if shard.retries:
        return _from_list(tx, shard, notification, cursor=cursor, number=number, now=now)
    if cursor >= shard.high:
        return None
    found = tx.subscriptions.recipients(
        shard.app_id,
        notification.audience,
        after=max(cursor, shard.low - 1),
        high=shard.high,
        limit=CHUNK_SIZE,
    )
    if not found:
        return None
    return _sorted(
        tx,
        notification,
        number=number,
        cursor=found[-1].subscription_id,
        found=found,
        tries=dict.fromkeys(map(id_of, found), 0),
        now=now,
    )


def doubtful(tx: Transaction, shard: Shard, *, high: int) -> Batch:
    """Read who is between the shard's cursor and `high`, the end of a chunk that nobody knows the fate of.

    Whoever joined the audience meanwhile is among them: nobody knows that of them either.
    """
    notification = tx.notifications.by_id(shard.notification_id)
    assert notification is not None, "a shard was claimed, so its notification is there"
    if shard.retries:
        tries = {one.subscription_id: one.attempt for one in shard.retries[shard.cursor : high]}
    else:
        after = max(shard.cursor, shard.low - 1)
        found = tx.subscriptions.recipients(
            shard.app_id, notification.audience, after=after, high=min(high, shard.high), limit=high - after
        )
        tries = {one.subscription_id: 0 for one in found}
    return Batch(
        notification=notification,
        number=shard.chunk_done + 1,
        cursor=high,
        recipients=(),
        credentials={},
        tries=tries,
    )


def _from_list(
    tx: Transaction, shard: Shard, notification: Notification, *, cursor: int, number: int, now: datetime
) -> Batch | None:
    part = shard.retries[cursor : cursor + CHUNK_SIZE]
    if not part:
        return None
    tries = {one.subscription_id: one.attempt for one in part}
    # Between two tries whoever uses a device may have signed out, and another person in.
    found = tx.subscriptions.recipients_by_id(list(tries), of=notification.audience)
    batch = _sorted(tx, notification, number=number, cursor=cursor + len(part), found=found, tries=tries, now=now)
    puzzling = {one.subscription_id: one.puzzling for one in part if one.puzzling}
    return replace(batch, puzzling=puzzling) if puzzling else batch


def _sorted(
    tx: Transaction,
    notification: Notification,
    *,
    number: int,
    cursor: int,
    found: list[Recipient],
    tries: dict[int, int],
    now: datetime,
) -> Batch:
    """Keep whom we can send to; the others are held, put off or skipped, each with its reason."""
    by = sort(tx, matter_of(notification), tries, found, now=now)
    templated = notification.message.templated is not None
    return Batch(
        notification=notification,
        number=number,
        cursor=cursor,
        recipients=by.recipients,
        credentials=by.credentials,
        tries=tries,
        held=by.held,
        settled=tuple(
            SettledDelivery(subscription_id, DeliveryStatus.SKIPPED, reason, attempt=tries[subscription_id])
            for subscription_id, reason in by.skipped.items()
        ),
        people=tx.subscriptions.people(list(map(id_of, by.recipients))) if templated else {},
        put_off=by.put_off,
    )


def in_doubt(tries: dict[int, int]) -> list[SettledDelivery]:
    """Skip recipients (subscription id -> earlier tries) that may have been told before a crash."""
    return [
        SettledDelivery(subscription_id, DeliveryStatus.SKIPPED, SkipReason.IN_DOUBT, attempt=earlier)
        for subscription_id, earlier in tries.items()
    ]


def ran_out(batch: Batch, *, now: datetime) -> bool:
    """Say whether the message's time to live has ended."""
    return now >= batch.notification.expires_at

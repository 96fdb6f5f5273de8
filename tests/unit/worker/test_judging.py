"""Judging: those that were accepted are taken together, and nobody is lost among the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.delivery import DeliveryStatus, Retry, SettledDelivery, SkipReason
from tidings.domain.outcome import Accepted, Gone, Outcome, Unavailable
from tidings.domain.subscription import Recipient
from tidings.worker.judging import judged, next_look, parted, tried_of
from tidings.worker.load import Batch

NOW = datetime(2026, 11, 26, tzinfo=UTC)
PUSH = "https://push.example.com"


def batch_of(count: int, policy: InDoubtPolicy = InDoubtPolicy.SKIP, **changes: Any) -> Batch:
    recipients = tuple(
        Recipient(n, "webpush", 7, f"{PUSH}/{n}", b"k", None, PUSH, bytes([n])) for n in range(1, count + 1)
    )
    notification: Any = SimpleNamespace(expires_at=NOW + timedelta(hours=1), policy=policy)
    batch = Batch(
        notification=notification,
        number=1,
        cursor=count,
        recipients=recipients,
        credentials={},
        tries=dict.fromkeys(range(1, count + 3), 0) | {2: 4},
    )
    for name, value in changes.items():
        object.__setattr__(batch, name, value)
    return batch


def verdicts_of(batch: Batch, outcomes: dict[int, Outcome]) -> Any:
    _, others = parted(batch, outcomes)
    return judged(batch, outcomes, tried=tried_of(batch, others), working=set(), now=NOW, chance=lambda: 0.5)


def test_all_that_were_accepted_are_sent_in_the_order_of_their_ids_with_their_names_and_tries() -> None:
    batch = batch_of(3)
    outcomes: dict[int, Outcome] = {3: Accepted("c"), 1: Accepted(), 2: Accepted("b")}
    assert parted(batch, outcomes) == (batch.recipients, ())
    found = verdicts_of(batch, outcomes)
    assert found.deliveries == [
        SettledDelivery(1, DeliveryStatus.SENT, "sent", 1, ""),
        SettledDelivery(2, DeliveryStatus.SENT, "sent", 5, "b"),
        SettledDelivery(3, DeliveryStatus.SENT, "sent", 1, "c"),
    ]
    assert all(type(one) is SettledDelivery for one in found.deliveries)
    assert (found.retired, found.suspicions, found.retries) == ([], [], {})


def test_the_others_are_judged_one_by_one_and_who_has_no_outcome_is_in_doubt() -> None:
    batch = batch_of(4)
    outcomes: dict[int, Outcome] = {1: Accepted(), 2: Gone("unsubscribed"), 3: Unavailable(None, "http_503")}
    accepted, others = parted(batch, outcomes)
    assert [one.subscription_id for one in accepted] == [1]
    assert [(one.subscription_id, outcome) for one, outcome in others] == [(2, outcomes[2]), (3, outcomes[3])]
    found = verdicts_of(batch, outcomes)
    assert {one.subscription_id: (one.status, one.reason) for one in found.deliveries} == {
        1: (DeliveryStatus.SENT, "sent"),
        2: (DeliveryStatus.FAILED, "gone"),
        4: (DeliveryStatus.SKIPPED, SkipReason.IN_DOUBT),
    }
    assert [(one.subscription_id, one.address_hash) for one in found.retired] == [(2, b"\x02")]
    assert [one.subscription_id for group in found.retries.values() for one in group] == [3]


def test_who_has_no_outcome_may_have_been_told_and_is_told_again_where_that_does_not_show() -> None:
    found = verdicts_of(batch_of(2, InDoubtPolicy.RESEND), {1: Accepted()})
    assert [one.subscription_id for one in found.deliveries] == [1]
    assert (found.doubtful, found.retries) == ([Retry(2, 4)], {})


def test_who_is_held_is_looked_at_again_and_what_was_settled_before_stays() -> None:
    skipped = SettledDelivery(6, DeliveryStatus.SKIPPED, SkipReason.UNSUBSCRIBED, 0)
    batch = batch_of(3, held=(5,), settled=(skipped,))
    found = verdicts_of(batch, {one.subscription_id: Accepted() for one in batch.recipients})
    assert skipped in found.deliveries
    assert {moment: [one.subscription_id for one in group] for moment, group in found.retries.items()} == {
        next_look(batch, NOW): [5]
    }


def test_nobody_of_an_empty_batch_is_judged() -> None:
    assert verdicts_of(batch_of(0), {}).deliveries == []

"""Judging: a batch and what became of its messages go in, what is to be stored of it comes out.

Nearly all messages are accepted, so those are taken together, and only the others one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.delivery import Settlement, Shard
from tidings.domain.outcome import Accepted, Outcome, unsent
from tidings.domain.subscription import Recipient
from tidings.pipeline.settle import CONFIGURATION_DELAY, Pair, Tried, Verdicts, sent, settle
from tidings.worker.load import Batch, in_doubt


def parted(
    batch: Batch, outcomes: Mapping[int, Outcome]
) -> tuple[Sequence[Recipient], Sequence[tuple[Recipient, Outcome]]]:
    """Part those whose message was accepted from the others that were answered, each with its outcome."""
    if len(outcomes) == len(batch.recipients) and set(map(type, outcomes.values())) == {Accepted}:
        return batch.recipients, ()
    answered = [(one, outcomes[one.subscription_id]) for one in batch.recipients if one.subscription_id in outcomes]
    accepted = [one for one, outcome in answered if isinstance(outcome, Accepted)]
    return accepted, [(one, outcome) for one, outcome in answered if not isinstance(outcome, Accepted)]


def tried_of(batch: Batch, others: Sequence[tuple[Recipient, Outcome]]) -> list[Tried]:
    """Give what settling is to know of those that were not accepted."""
    return [
        Tried(
            subscription_id=one.subscription_id,
            earlier_tries=batch.tries[one.subscription_id],
            credential_id=one.credential_id,
            origin=one.origin,
            outcome=outcome,
            address_hash=one.address_hash,
            puzzling=batch.puzzling.get(one.subscription_id, 0),
        )
        for one, outcome in others
    ]


def judged(
    batch: Batch,
    outcomes: Mapping[int, Outcome],
    *,
    tried: Sequence[Tried],
    working: set[Pair],
    now: datetime,
    chance: Callable[[], float],
) -> Verdicts:
    """Decide what follows for each recipient; who has no outcome may have been told, and the policy says what follows.

    `tried` are those that were not accepted, `working` the pairs that are known to work.
    """
    verdicts = settle(tried, now=now, expires_at=batch.notification.expires_at, chance=chance, proven=working)
    accepted = {one: outcome.ref for one, outcome in outcomes.items() if type(outcome) is Accepted}
    verdicts.deliveries += sent(accepted, batch.tries)
    verdicts.deliveries += batch.settled
    untold = [one.subscription_id for one in batch.recipients if one.subscription_id not in outcomes]
    if batch.notification.policy is InDoubtPolicy.SKIP:
        verdicts.deliveries += in_doubt({one: batch.tries[one] for one in untold})
    else:
        verdicts.doubtful += map(batch.again, untold)
    for one, until in batch.put_off.items():
        verdicts.retries.setdefault(until, []).append(batch.again(one))
    if batch.held:
        held = list(map(batch.again, batch.held))
        verdicts.retries.setdefault(next_look(batch, now), []).extend(held)
    if batch.doubtful:
        # Who was not tried now may have been told before, and stays in doubt.
        verdicts.unsure = batch.doubtful - {one for one, outcome in outcomes.items() if not unsent(outcome)}
    return verdicts


def next_look(batch: Batch, now: datetime) -> datetime:
    """Give when to look again whether a paused integration goes on."""
    return min(now + timedelta(seconds=CONFIGURATION_DELAY), batch.notification.expires_at)


def settlement_of(shard: Shard, batch: Batch, verdicts: Verdicts) -> Settlement:
    """Give what is to be stored of a batch, under the lease of its shard."""
    return Settlement(
        shard_id=shard.id,
        lease_token=shard.lease_token,
        chunk=batch.number,
        cursor=batch.cursor,
        deliveries=tuple(verdicts.deliveries),
        retired=tuple(verdicts.retired),
        suspicions=tuple(verdicts.suspicions),
        retries=tuple((moment, tuple(retries)) for moment, retries in sorted(verdicts.retries.items())),
        doubtful=tuple(verdicts.doubtful),
        unsure=verdicts.unsure,
    )

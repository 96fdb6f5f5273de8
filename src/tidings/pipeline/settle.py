"""Settle: the outcomes of a chunk come in; out goes what is final, who is gone, and who is tried again when.

What follows from an outcome is decided here and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from typing import NamedTuple, assert_never

from tidings.domain import suspected
from tidings.domain.delivery import DeliveryStatus, Patience, Retired, Retry, SettledDelivery, SkipReason, Suspicion
from tidings.domain.outcome import (
    Accepted,
    Doubt,
    FaultScope,
    Gone,
    Held,
    KeyMismatch,
    Misconfigured,
    Outcome,
    Refused,
    Throttled,
    Unavailable,
    Unmapped,
)
from tidings.lib.backoff import full_jitter

FIRST_DELAY = 5.0
"""Seconds; the upper end of the first retry's delay, doubled with every try."""

LONGEST_DELAY = 1_800.0
"""Seconds; a Retry-After may ask for more. Tries go on until the message's time to live ends: a number of them would
end after minutes, and a push service, or our own network, can be away for longer."""

MOST_PUZZLING_TRIES = 3
"""Tries that end with an answer that no table knows, or with one that the service gives to this address alone."""

CONFIGURATION_DELAY = 60.0
"""Seconds between looks at an integration that is paused because our credentials were refused."""

SUSPECT = Patience(times=3, over=timedelta(hours=72))
"""For an address that its service doubts: devices were seen to come back after a day of it."""

NEVER_TAKEN = Patience(times=5, over=timedelta(0), unreached_only=True)
"""For an address that never took a message and refuses each: a row imported with keys that do not fit would live for
ever, as push services do not call it gone."""

AT_ONCE = Patience(times=1, over=timedelta(0))
"""For an address that its service says it has never given out, while it takes the same message from others."""

MANY = 10
"""Addresses of a chunk that are refused for being somebody else's, while none is taken, before it is our mistake."""

_PATIENCE = {
    **dict.fromkeys(suspected.MISPLACED, suspected.PATIENCE),
    Doubt.ADDRESS_INVALID: AT_ONCE,
    Doubt.ENDPOINT_SUSPECT: SUSPECT,
    Doubt.BAD_REQUEST: NEVER_TAKEN,
    Doubt.KEYS_UNUSABLE: NEVER_TAKEN,
    Doubt.REDIRECTED: NEVER_TAKEN,
    Doubt.AUTHORIZATION_REFUSED: NEVER_TAKEN,
}

EVERYWHERE = ""
"""In place of an origin: a credential that is refused for what it is, not for where it was used."""

Pair = tuple[int, str]
"""(credential id, origin): what an origin refuses our credentials for, and what is paused for it."""


class Tried(NamedTuple):
    """One recipient of a chunk: its tries before, how many of those ended puzzling, and what this one gave."""

    subscription_id: int
    earlier_tries: int
    credential_id: int
    origin: str
    outcome: Outcome
    address_hash: bytes = b""
    puzzling: int = 0

    @property
    def pair(self) -> Pair:
        """The key it was tried with, and where."""
        return self.credential_id, self.origin

    @property
    def doubted(self) -> Doubt | None:
        """What speaks against this address, if its service takes the messages of others."""
        reason = getattr(self.outcome, "reason", "")
        return Doubt(reason) if reason in _PATIENCE else None

    @property
    def needs_proof(self) -> bool:
        """Say whether it matters that the key works for others at this origin."""
        if isinstance(self.outcome, Accepted):
            return False
        return isinstance(self.outcome, Misconfigured) or self.doubted is not None


@dataclass(slots=True)
class Verdicts:
    """What a chunk's outcomes amount to.

    `retries` maps a moment to those to be tried from then on, `misconfigured` a key and an origin to the reason it was
    refused with there. Who is in `doubtful` may have been told, and is told again; so may `retries` that are `unsure`.
    """

    deliveries: list[SettledDelivery] = field(default_factory=list)
    retired: list[Retired] = field(default_factory=list)
    suspicions: list[Suspicion] = field(default_factory=list)
    retries: dict[datetime, list[Retry]] = field(default_factory=dict)
    misconfigured: dict[Pair, str] = field(default_factory=dict)
    doubtful: list[Retry] = field(default_factory=list)
    unsure: frozenset[int] = frozenset()


def settle(
    tried: Sequence[Tried],
    *,
    now: datetime,
    expires_at: datetime,
    chance: Callable[[], float],
    proven: Collection[Pair] = (),
) -> Verdicts:
    """Decide what follows from a chunk's outcomes. `chance` gives numbers in [0, 1) for the jitter.

    `proven` are keys that an origin took lately: where one of these is refused, it is the address and not the key.

    The jitter is one for the chunk: it parts chunks from each other. One for each recipient would break a chunk into
    eight at every try, until each recipient is a shard of its own.
    """
    verdicts, lot = Verdicts(), chance()
    many = _refused_for_address(tried)
    taken = Counter(one.pair for one in tried if isinstance(one.outcome, Accepted))
    outnumbered = {pair for pair, times in (many | _invalid(tried)).items() if times > taken[pair]}
    working = taken.keys() | set(proven)
    mixed_up = many.keys() - working
    for one in tried:
        if isinstance(one.outcome, Accepted):  # nearly all of them, and nothing else follows from it
            _final(verdicts, one, DeliveryStatus.SENT, "sent", one.outcome.ref)
            continue
        if isinstance(one.outcome, Misconfigured):
            again = _Again(verdicts, one, now=now, expires_at=expires_at, lot=lot)
            _misconfigured(again, one.outcome, working=working, mixed_up=mixed_up)
        else:
            _settle_one(verdicts, one, one.outcome, now=now, expires_at=expires_at, lot=lot)
        if (doubted := one.doubted) is not None and one.pair in working and one.pair not in outnumbered:
            # Where nobody gets through it is the service or ourselves: no address is to be dropped for that.
            patience = _PATIENCE[doubted]
            if patience is AT_ONCE and not taken[one.pair]:
                patience = SUSPECT  # it may be this message that is wrong
            verdicts.suspicions.append(Suspicion(one.subscription_id, doubted, one.address_hash, patience))
    return verdicts


def _settle_one(
    verdicts: Verdicts,
    one: Tried,
    outcome: Gone | KeyMismatch | Refused | Throttled | Unavailable | Unmapped,
    *,
    now: datetime,
    expires_at: datetime,
    lot: float,
) -> None:
    again = _Again(verdicts, one, now=now, expires_at=expires_at, lot=lot)
    match outcome:
        case Gone(reason, at):
            seen = None if at is None else datetime.fromtimestamp(at, UTC)
            verdicts.retired.append(Retired(one.subscription_id, reason, one.address_hash, seen))
            _final(verdicts, one, DeliveryStatus.FAILED, "gone")
        case KeyMismatch(reason):
            verdicts.retired.append(Retired(one.subscription_id, f"key_mismatch:{reason}", one.address_hash))
            _final(verdicts, one, DeliveryStatus.FAILED, "key_mismatch")
        case Refused(reason):
            left_out = reason == SkipReason.OTHER_KIND
            _final(verdicts, one, DeliveryStatus.SKIPPED if left_out else DeliveryStatus.FAILED, reason)
        case Throttled(after=after, reason=Held.RESTS | Held.PACED | Held.SLOW | Held.RECALLED):
            again.waiting(after or 0.0)
        case Throttled(after=after) | Unavailable(after=after):
            again.later(after)
        case Unmapped(status=status):
            again.few(f"unmapped_{status}")
        case _:
            assert_never(outcome)


def _refused_for_address(tried: Sequence[Tried]) -> dict[Pair, int]:
    """Give where so many addresses are refused as another's that the mistake may be ours, and how many."""
    alike = Counter(
        one.pair for one in tried if isinstance(one.outcome, Misconfigured) and one.outcome.scope is FaultScope.ADDRESS
    )
    return {pair: times for pair, times in alike.items() if times >= MANY}


def _invalid(tried: Sequence[Tried]) -> dict[Pair, int]:
    """Give where so many addresses are called invalid at once that it may be the message, and how many."""
    alike = Counter(one.pair for one in tried if one.doubted is Doubt.ADDRESS_INVALID)
    return {pair: times for pair, times in alike.items() if times >= MANY}


def _misconfigured(again: _Again, outcome: Misconfigured, *, working: set[Pair], mixed_up: Collection[Pair]) -> None:
    """Pause what is refused, unless it is one address alone that is."""
    one, verdicts = again.one, again.verdicts
    if outcome.scope is FaultScope.CREDENTIAL:
        # Said of our key whoever the message was for, also where it worked a moment ago.
        verdicts.misconfigured[one.credential_id, EVERYWHERE] = outcome.reason
    elif outcome.scope is FaultScope.ADDRESS and one.pair not in mixed_up:
        _final(verdicts, one, DeliveryStatus.FAILED, outcome.reason)
        return
    elif one.pair in working:
        # The same service takes the same key from others: it is this address, not our key.
        again.few(outcome.reason)
        return
    else:
        verdicts.misconfigured[one.pair] = outcome.reason
    again.waiting(CONFIGURATION_DELAY)


@dataclass(frozen=True, slots=True)
class _Again:
    """Another try for one recipient, or its end when tries or time are used up."""

    verdicts: Verdicts
    one: Tried
    now: datetime = field(kw_only=True)
    expires_at: datetime = field(kw_only=True)
    lot: float = field(kw_only=True)

    def later(self, after: float | None, *, puzzling: int = 0) -> None:
        """Try again after a jittered delay, never sooner than `after` seconds."""
        delay = full_jitter(self.one.earlier_tries, first=FIRST_DELAY, cap=LONGEST_DELAY, chance=self.lot)
        self._at((after or 0.0) + delay, self.one.earlier_tries + 1, puzzling=puzzling)

    def few(self, reason: str) -> None:
        """Try again like `later`, and fail with the reason after a few tries that ended so."""
        if self.one.puzzling + 1 >= MOST_PUZZLING_TRIES:
            _final(self.verdicts, self.one, DeliveryStatus.FAILED, reason)
        else:
            self.later(None, puzzling=1)

    def waiting(self, delay: float) -> None:
        """Look again after `delay` seconds without counting a try: there was none, or the fault is ours."""
        self._at(delay, self.one.earlier_tries)

    def _at(self, delay: float, tries: int, *, puzzling: int = 0) -> None:
        moment = self.now + timedelta(seconds=_stepped(delay, lot=self.lot))
        if moment >= self.expires_at:
            moment = self.now + timedelta(seconds=delay)
        if moment >= self.expires_at:
            _final(self.verdicts, self.one, DeliveryStatus.EXPIRED, "ttl_ended")
            return
        again = Retry(self.one.subscription_id, tries, self.one.puzzling + puzzling)
        self.verdicts.retries.setdefault(moment, []).append(again)


def _stepped(delay: float, *, lot: float) -> float:
    """Round a delay up to a step that grows with it: one chunk makes a handful of retry shards, not a hundred.

    The lot moves a chunk's steps, so that the same delay does not bring all chunks back at the same moment.
    """
    step = 0.5
    while step * 8 < delay:
        step *= 2
    return (-(-delay // step) + lot) * step


def _final(verdicts: Verdicts, one: Tried, status: DeliveryStatus, reason: str, ref: str = "") -> None:
    verdicts.deliveries.append(
        SettledDelivery(one.subscription_id, status, reason, attempt=one.earlier_tries + 1, provider_ref=ref)
    )


def sent(refs: Mapping[int, str], earlier: Mapping[int, int]) -> list[SettledDelivery]:
    """Settle recipients that were accepted (subscription id -> the service's own name for it), all at once.

    `earlier` has the tries that each had before this one.
    """
    ordered = sorted(refs)  # the rows' order in the database: a page is written once
    attempts = [earlier[one] + 1 for one in ordered]
    columns = zip(ordered, repeat(DeliveryStatus.SENT), repeat("sent"), attempts, map(refs.__getitem__, ordered))
    return list(map(_settled, columns))


_settled: Callable[[tuple[object, ...]], SettledDelivery] = partial(tuple.__new__, SettledDelivery)
"""Makes one of a tuple of its fields, without a function of Python's own in between."""


def expired(recipients: Mapping[int, int]) -> list[SettledDelivery]:
    """Settle recipients (subscription id -> earlier tries) whose message ran out of time before a try."""
    return [
        SettledDelivery(subscription_id, DeliveryStatus.EXPIRED, "ttl_ended", attempt=tries)
        for subscription_id, tries in recipients.items()
    ]

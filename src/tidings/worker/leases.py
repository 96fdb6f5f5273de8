"""Leases of other workers, as one worker sees them: by whether they are renewed, not by what its clock says of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from tidings.domain.delivery import Lease
from tidings.worker import runner

_Mark = tuple[int, float]


class Leases:
    """Watches leases, so that none is taken from a worker that lives and whose clock is behind ours.

    Its holder renews a lease three times before it ends. What has run out by our clock and is renewed all the same is
    not free: were it taken, its chunk would be sent twice, and the other's outcomes refused. The seconds are of a clock
    that is never set and stands still while the machine sleeps: who slept has not watched. Nor has who could not look,
    for want of the database say, without which nobody can renew anything.
    """

    def __init__(self, owner: str, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._owner = owner
        self._ticks = ticks
        self._seen: dict[int, tuple[_Mark, float]] = {}
        self._looked = ticks()

    def held(self, leases: Iterable[Lease]) -> set[int]:
        """Give the shards of others that are not to be taken, after a look at all leases."""
        now, before, self._seen = self._ticks(), self._seen, {}
        missed, self._looked = now - self._looked >= runner.LEASE / 2, now
        for one in leases:
            if one.owner is None or one.owner == self._owner:
                continue
            mark = (one.token, one.until.timestamp())
            was, since = before.get(one.shard_id, (mark, now))
            self._seen[one.shard_id] = (mark, since if was == mark and not missed else now)
        return {shard_id for shard_id, (_, since) in self._seen.items() if now - since < runner.LEASE / 2}

"""Leases of others: free is what nobody renews any more, whatever the clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tidings.domain.delivery import Lease
from tidings.worker.leases import Leases
from tidings.worker.runner import LEASE

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Watch:
    """A clock that is never set, in seconds."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def leases(watch: Watch) -> Leases:
    return Leases("me", ticks=watch)


def lease(*, owner: str | None = "other", token: int = 1, after: float = 0.0) -> Lease:
    return Lease(7, owner, token, NOON + timedelta(seconds=after))


def test_one_that_is_renewed_is_held_for_ever(leases: Leases, watch: Watch) -> None:
    for renewed in range(60):
        watch.seconds += LEASE / 3
        assert leases.held([lease(after=renewed * LEASE / 3)]) == {7}


def test_one_that_nobody_renews_is_free_before_it_could_have_run_out(leases: Leases, watch: Watch) -> None:
    for _ in range(int(LEASE / 2)):
        assert leases.held([lease()]) == {7}
        watch.seconds += 1
    assert leases.held([lease()]) == set()
    assert LEASE / 3 < LEASE / 2 < LEASE


def test_one_that_another_has_taken_since_is_watched_anew(leases: Leases, watch: Watch) -> None:
    leases.held([lease()])
    watch.seconds += LEASE
    assert leases.held([lease(token=2)]) == {7}


def test_one_that_was_given_back_between_is_watched_anew(leases: Leases, watch: Watch) -> None:
    leases.held([lease()])
    leases.held([])
    watch.seconds += LEASE
    assert leases.held([lease()]) == {7}


@pytest.mark.parametrize("owner", ["me", None])
def test_ones_own_and_those_of_the_dead_are_free(leases: Leases, owner: str | None) -> None:
    assert leases.held([lease(owner=owner)]) == set()


def test_whoever_could_not_look_for_a_while_watches_anew(leases: Leases, watch: Watch) -> None:
    leases.held([lease()])
    watch.seconds += 2 * LEASE  # the database was away: nobody could renew anything
    for _ in range(int(LEASE / 2)):
        assert leases.held([lease()]) == {7}, "its holder has not had the time to say that it lives"
        watch.seconds += 1
    assert leases.held([lease()]) == set()

from __future__ import annotations

from collections import Counter

import pytest

from tidings.simulator.answers import Drop, Reset, Response
from tidings.simulator.faults import LASTING, Fault, FaultKind, Patience, Script, assigned
from tidings.simulator.flavours import MOZILLA

GONE, THROTTLED = Fault(FaultKind.GONE), Fault(FaultKind.THROTTLED, tries=2, retry_after=3)


def test_shares_are_exact() -> None:
    found = Counter(assigned([(GONE, 0.1), (THROTTLED, 0.25)], count=1000, seed="a"))
    assert found == {None: 650, GONE: 100, THROTTLED: 250}


def test_the_same_seed_gives_the_same_places_and_another_seed_others() -> None:
    places = assigned([(GONE, 0.5)], count=100, seed="a")
    assert places == assigned([(GONE, 0.5)], count=100, seed="a")
    assert places != assigned([(GONE, 0.5)], count=100, seed="b")


@pytest.mark.parametrize("share", [1.5, -0.1, 0.7])
def test_shares_beyond_all_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        assigned([(GONE, share), (THROTTLED, 0.4)], count=10, seed="a")


def test_a_passing_fault_lets_each_message_through_after_its_tries() -> None:
    patience = Patience(THROTTLED)
    assert [patience.met_by("one") for _ in range(3)] == [THROTTLED, THROTTLED, None]
    assert patience.met_by("two") == THROTTLED


def test_a_lasting_fault_never_passes() -> None:
    for kind in LASTING:
        patience = Patience(Fault(kind))
        assert all(patience.met_by("one") for _ in range(20))


def test_no_fault_is_never_met() -> None:
    assert Patience(None).met_by("one") is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.NOT_FOUND, 404),
        (FaultKind.GONE, 410),
        (FaultKind.TOO_LARGE, 413),
        (FaultKind.THROTTLED, 429),
        (FaultKind.UNAVAILABLE, 503),
    ],
)
def test_each_kind_of_refusal_has_its_status(kind: FaultKind, status: int) -> None:
    answer = Fault(kind, retry_after=9).answer(MOZILLA)
    assert isinstance(answer, Response)
    assert answer.status == status
    assert (("retry-after", "9") in answer.headers) is (kind not in LASTING)


def test_dropped_reset_and_slow_are_no_answers() -> None:
    assert Fault(FaultKind.DROPPED).answer(MOZILLA) == Drop()
    assert Fault(FaultKind.RESET).answer(MOZILLA) == Reset()
    assert Fault(FaultKind.SLOW).answer(MOZILLA) is None


def test_a_script_is_taken_in_order_and_can_be_cleared() -> None:
    script = Script()
    script.add(GONE, times=2)
    script.add(THROTTLED, times=3)
    assert [script.take(), script.take(), script.take()] == [GONE, GONE, THROTTLED]
    assert script.clear() == 2
    assert script.take() is None

"""What `tidings doctor` makes of facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tidings.cli import checks
from tidings.cli.checks import State
from tidings.cli.egress import Reached, of_egress
from tidings.lib.agreement import Agreement, Way, lanes
from tidings.lib.agreement.objects import agreed_by_objects

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def app(**changed: Any) -> dict[str, Any]:
    return {
        "id": "app_1",
        "name": "Harbour News",
        "key_configured": True,
        "contact": "mailto:push@example.com",
        "paused_because": None,
        "subscriptions": {"active": 3},
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "states"),
    [
        ({}, [State.OK]),
        ({"key_configured": False}, [State.FAIL]),
        ({"contact": None}, [State.FAIL]),
        ({"paused_because": "bad_jwt"}, [State.FAIL]),
        ({"contact": None, "paused_because": "bad_jwt"}, [State.FAIL, State.FAIL]),
        ({"subscriptions": {"active": 0}}, [State.WARN]),
    ],
)
def test_an_app_is_judged_by_key_contact_pause_and_subscribers(changed: dict[str, Any], states: list[State]) -> None:
    assert [finding.state for finding in checks.of_app(app(**changed))] == states


def test_every_fault_of_an_app_says_how_to_mend_it() -> None:
    for changed in ({"key_configured": False}, {"contact": None}, {"paused_because": "x"}):
        assert all(finding.mend for finding in checks.of_app(app(**changed)))


def test_no_worker_is_a_failure() -> None:
    assert checks.of_workers([]).state is State.FAIL
    assert checks.of_workers([{"senders": 2}]).found == "1 worker, 2 sender processes"


@pytest.mark.parametrize(
    ("lag", "workers", "state"),
    [(0.0, 0, State.OK), (4.0, 1, State.OK), (60.0, 1, State.WARN), (60.0, 0, State.FAIL), (900.0, 1, State.FAIL)],
)
def test_a_queue_that_waits_is_worse_with_nobody_to_drain_it(lag: float, workers: int, state: State) -> None:
    assert checks.of_lag(lag, workers=workers, kind="sqlite").state is state


def test_what_is_said_of_a_queue_that_waits_can_be_done() -> None:
    assert checks.of_lag(0.0, workers=1, kind="sqlite").found == "nothing is late"
    mends = [checks.of_lag(60.0, workers=1, kind=kind).mend for kind in ("sqlite", "postgresql")]
    assert ["or workers" in mend for mend in mends] == [False, True]


@pytest.mark.parametrize(
    ("skew", "state"), [(0, State.OK), (-30, State.OK), (120, State.WARN), (-120, State.WARN), (3600, State.FAIL)]
)
def test_the_clock_is_judged_by_a_push_service(skew: int, state: State) -> None:
    assert checks.of_clock(NOW + timedelta(seconds=skew), ours=NOW, host="push.example.com").state is state


def test_a_clock_that_could_not_be_compared_says_so() -> None:
    finding = checks.of_clock(None, ours=NOW, host="")
    assert finding.state is State.WARN
    assert "not checked" in finding.found


def test_the_example_of_rfc_8291_comes_out() -> None:
    finding = checks.of_encryption()
    assert finding.state is State.OK
    assert any(way in finding.found for way in Way)


def test_a_compiled_part_that_is_missing_or_does_not_work_is_told_where_the_processor_could(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = {}
    able = "avx512f avx512ifma"
    for name, flags, way in (("could", able, Way.POINTS), ("does", able, Way.LANES), ("old", "avx2", Way.POINTS)):
        (tmp_path / name).write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\n")
        monkeypatch.setattr(lanes, "_PROCESSOR", tmp_path / name)
        monkeypatch.setattr("tidings.lib.agreement.agreement", lambda way=way: Agreement(way, agreed_by_objects))
        said[name] = "install gcc" in checks.of_encryption().found
    assert said == {"could": True, "does": False, "old": False}


def test_disk_space_is_told_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert str(tmp_path) in checks.of_disk(tmp_path / "not" / "yet").found


def test_an_old_sqlite_is_a_warning_and_a_database_without_one_is_fine() -> None:
    assert checks.of_database({"kind": "sqlite", "version": "3.40.1", "warning": "old"}).state is State.WARN
    assert checks.of_database({"kind": "postgresql", "version": "18", "warning": None}).state is State.OK


def test_an_unreachable_service_fails_unless_this_is_development() -> None:
    away = [Reached("web.push.apple.com", fault="no answer")]
    assert of_egress(away, lenient=False)[0].state is State.FAIL
    assert of_egress(away, lenient=True)[0].state is State.WARN
    assert "Safari" in of_egress(away, lenient=False)[0].found

"""An event asks the triggers of its own type: others cost it nothing. CPU alone, and with room for any machine."""

from __future__ import annotations

from pathlib import Path

from tidings.bench.events import OF_A_TYPE, measure_events

MANY = 1_000
"""Triggers of the App, nearly all of other types."""

MOST = 2
"""Times what an event costs where there are no others; all asked, it would be a hundred times as many questions."""


TRIES = 3
"""Measurements, of which the least counts: what other programs cost it comes and goes, what is asked in vain stays."""


def test_triggers_of_other_types_cost_an_event_nothing(tmp_path: Path) -> None:
    few: dict[str, float] = {}
    many: dict[str, float] = {}
    for n in range(TRIES):
        for pace in measure_events(folder=tmp_path / str(n), events=100, triggers=MANY).paces:
            least = few if pace.triggers == OF_A_TYPE else many
            least[pace.what] = min(pace.cpu, least.get(pace.what, pace.cpu))
            assert pace.events >= 10
            assert pace.rate > 0
        assert few.keys() == many.keys()
        assert len(few) == 3
        if all(cpu < MOST * few[what] for what, cpu in many.items()):
            return
    raise AssertionError({what: (few[what], cpu) for what, cpu in many.items()})


def test_many_events_of_one_request_cost_less_than_in_one_each(tmp_path: Path) -> None:
    paces = measure_events(folder=tmp_path, events=100, triggers=OF_A_TYPE).paces
    alone, together = paces[0], paces[1]
    assert together.cpu < alone.cpu

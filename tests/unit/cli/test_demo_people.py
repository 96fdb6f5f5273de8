"""The demo's crowd: the same at every start, various, and with somebody for the examples to reach."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tidings.cli.demo_people import MARK, READERS, people, peopled
from tidings.services.region import locale_from, time_zone_from
from tidings.simulator import site

ROWS = [{"endpoint": f"https://localhost/{number}", "keys": {}} for number in range(1_000)]


def test_the_people_of_the_examples_are_there_with_languages_and_zones_that_exist() -> None:
    known = {one.external_id: one for one in people(seed=1)}
    assert (known["u-42"].name, known["u-42"].role) == ("Anna Berger", "operator")
    assert all(locale_from(one.locale) and time_zone_from(one.time_zone) for one in known.values())
    assert {one.role for one in known.values()} == {"reader", "operator", "editor"}


def test_the_crowd_is_various_and_the_same_at_every_start() -> None:
    rows = peopled(ROWS, people(seed=1), seed=1)
    assert rows == peopled(ROWS, people(seed=1), seed=1)
    assert [row["endpoint"] for row in rows] == [row["endpoint"] for row in ROWS]
    assert len({row["device"] for row in rows}) == 10
    assert len({row["locale"] for row in rows}) == 12
    assert all(MARK.items() <= row["tags"].items() for row in rows)
    owners = Counter(row.get("user") for row in rows)
    assert owners["u-42"] == 3
    assert owners[None] > 500


def test_a_small_crowd_is_not_too_small() -> None:
    assert len(peopled(ROWS[:5], people(seed=1), seed=1)) == 5


def test_whom_the_sample_site_signs_in_is_known_by_name() -> None:
    page = (Path(site.__file__).parent / "site" / "index.html").read_text()
    assert {one.external_id for one in READERS} == set(re.findall(r'data-user="([^"]+)"', page))
    assert all(locale_from(one.locale) and time_zone_from(one.time_zone) for one in READERS)

"""Orders of magnitude: CPU, never the clock on the wall, and with room for any machine."""

from __future__ import annotations

import shutil

import pytest

from tidings.bench.run import Found, Part, Wish, measure

pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="nginx is not installed; it takes what is sent (apt: nginx-light)",
)

LEAST_OF_THE_FLOOR = 0.05
"""A twentieth of what cannot be beaten: a real run shows about eight times as much."""

MOST_FOR_ONE_REQUEST = 10
"""Floors without h2load: a real run shows about one."""


@pytest.fixture(scope="module")
def found() -> Found:
    wish = Wish([Part.ENCRYPT, Part.SEND, Part.CAMPAIGN], subscribers=[1_000], senders=[1], thorough=0.05)
    return measure(wish, note=print)


def test_a_request_costs_about_its_two_curve_operations(found: Found) -> None:
    floor = found.floor
    if floor is None:
        pytest.skip("h2load is not installed (apt: nghttp2-client)")
    assert found.encrypt is not None
    assert found.send is not None
    assert found.encrypt < MOST_FOR_ONE_REQUEST * (floor.generate + floor.agree)
    assert found.send < floor.whole / LEAST_OF_THE_FLOOR


def test_the_whole_way_is_no_order_of_magnitude_above_the_floor(found: Found) -> None:
    (campaign,) = found.campaigns
    assert campaign.counts.sent == campaign.counts.audience == 1_000
    assert campaign.requests >= 1_000  # more where the machine is so slow that some are sent again
    if found.floor is not None:
        assert campaign.whole < found.floor.whole / LEAST_OF_THE_FLOOR
    assert set(campaign.memory) == {"main", "sender 1"}

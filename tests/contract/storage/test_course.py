"""What people did over time, on both databases: exact, in few points, from one notification's receipts alone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from support.stored import Given, sent
from tidings.domain.app import App
from tidings.domain.campaign import Notification
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.receipt import Receipt, ReceiptEvent
from tidings.domain.stats import FEW
from tidings.services.course import MOST_POINTS, STEPS, Courses, floored, step_for
from tidings.services.stats import NAMING
from tidings.storage import Store

SHOWN, CLICKED = ReceiptEvent.SHOWN, ReceiptEvent.CLICKED


async def reported(
    store: Store, given: Given, after: list[tuple[ReceiptEvent, timedelta]], *, of: int = 1
) -> tuple[App, Notification]:
    """Send to as many devices as there are reports, and let each report once, so long after it was sent."""
    app = await given.app()
    ids = await given.devices(app, await given.credential(app), len(after))
    notification = await given.notification(app, of=of)
    await given.settle(await given.claimed(await given.shard(notification)), sent(*ids))
    for device, (event, later) in zip(ids, after, strict=True):
        receipt = Receipt(notification.id, device, event, "", notification.send_at + later)
        assert await store.write(lambda tx, receipt=receipt: tx.receipts.add(receipt))  # type: ignore[misc]
    return app, notification


async def test_reports_are_counted_by_the_minute_without_a_gap(store: Store, given: Given) -> None:
    seconds = timedelta(seconds=1)
    app, notification = await reported(
        store, given, [(SHOWN, 1 * seconds), (SHOWN, 59 * seconds), (CLICKED, 61 * seconds), (SHOWN, 299 * seconds)]
    )
    await reported(store, given, [(CLICKED, 5 * seconds)])
    course = await Courses(store=store).of(app.id, notification.public_id)
    assert course.step == timedelta(minutes=1)
    begin = floored(notification.send_at, course.step)
    assert [point.at for point in course.points] == [begin + n * course.step for n in range(len(course.points))]
    assert {
        ((point.at - begin) // course.step, event): count
        for point in course.points
        for event, count in point.counts.items()
    } == _by_minute(notification, [(SHOWN, 1), (SHOWN, 59), (CLICKED, 61), (SHOWN, 299)])


@pytest.mark.parametrize("days", [0, 3])
async def test_of_many_reports_there_is_the_same_course_as_they_were_counted_by_the_minute(
    store: Store, given: Given, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = [(SHOWN, timedelta(seconds=7 * n)) for n in range(40)]
    after += [(CLICKED, timedelta(days=days, seconds=11 * n)) for n in range(20)]
    app, notification = await reported(store, given, after, of=FEW + 1)
    courses = Courses(store=store)
    read = await courses.of(app.id, notification.public_id)
    monkeypatch.setattr("tidings.services.course.MANY", len(after) - 1)
    assert await courses.of(app.id, notification.public_id) == read, "what waits is counted"
    await store.write(lambda tx: tx.stats.roll_up(limit=30, naming=NAMING))
    assert await courses.of(app.id, notification.public_id) == read, "and what is added up in part"
    await store.write(lambda tx: tx.stats.roll_up(limit=1_000, naming=NAMING))
    assert await courses.of(app.id, notification.public_id) == read
    assert sum(sum(point.counts.values()) for point in read.points) == len(after)
    await reported(store, given, [(SHOWN, timedelta(0))], of=FEW + 1)
    await store.write(lambda tx: tx.stats.roll_up(limit=1_000, naming=NAMING))
    assert await courses.of(app.id, notification.public_id) == read


def _by_minute(
    notification: Notification, after: list[tuple[ReceiptEvent, int]]
) -> dict[tuple[int, ReceiptEvent], int]:
    """Count the same by hand."""
    into = notification.send_at.second
    return dict(Counter(((into + seconds) // 60, event) for event, seconds in after))


@pytest.mark.parametrize("days", [0, 1, 3, 28, 400, 4000])
async def test_however_long_it_goes_on_there_are_few_points(store: Store, given: Given, days: int) -> None:
    app, notification = await reported(store, given, [(SHOWN, timedelta(0)), (CLICKED, timedelta(days=days))])
    course = await Courses(store=store).of(app.id, notification.public_id)
    assert 1 <= len(course.points) <= MOST_POINTS
    counted = sum(sum(point.counts.values()) for point in course.points)
    assert counted == (1 if days == 4000 else 2), "only what comes after years is left out"


async def test_nothing_reported_is_no_point_and_an_unknown_notification_is_not_found(
    store: Store, given: Given
) -> None:
    app, notification = await reported(store, given, [])
    courses = Courses(store=store)
    assert list((await courses.of(app.id, notification.public_id)).points) == []
    with pytest.raises(CatalogueError) as caught:
        await courses.of(app.id, "ntf_none")
    assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(CatalogueError):
        await courses.of((await given.app("Another")).id, notification.public_id)


async def test_a_step_is_the_shortest_that_fits(given: Given) -> None:
    begin = floored(given.now, STEPS[-1])
    assert step_for(begin, begin) == STEPS[0]
    assert step_for(begin, begin + timedelta(minutes=119)) == STEPS[0]
    assert step_for(begin, begin + timedelta(minutes=120)) == STEPS[1]
    assert step_for(begin, begin + timedelta(days=100_000)) == STEPS[-1]

from __future__ import annotations

from tidings.lib.pacing import FIRST, MOST_ORIGINS, REST, TRIP, Breaker, Pace, Paces, Waiting


def answer(pace: Pace, count: int, *, slow_down: bool) -> None:
    tickets = [pace.start() for _ in range(count)]
    for ticket in tickets:
        pace.finish(ticket, slow_down=slow_down)


def test_room_is_what_the_window_leaves() -> None:
    pace = Pace(first=3, most=10)
    tickets = [pace.start(), pace.start()]
    assert pace.room == 1
    pace.finish(tickets[0], slow_down=False)
    assert pace.room == 2


def test_a_window_of_good_answers_adds_one() -> None:
    pace = Pace(first=10, most=100)
    answer(pace, 11, slow_down=False)
    assert 11 <= pace.window < 12


def test_the_window_never_passes_its_end() -> None:
    pace = Pace(first=10, most=12)
    answer(pace, 1000, slow_down=False)
    assert pace.window == 12


def test_a_window_of_refusals_halves_once() -> None:
    pace = Pace(first=40, most=100)
    answer(pace, 40, slow_down=True)
    assert pace.window == 20


def test_a_refusal_after_the_cut_halves_again() -> None:
    pace = Pace(first=40, most=100)
    answer(pace, 40, slow_down=True)
    answer(pace, 20, slow_down=True)
    assert pace.window == 10


def test_there_is_always_room_for_one() -> None:
    pace = Pace(first=2, most=100)
    for _ in range(20):
        answer(pace, 1, slow_down=True)
    assert pace.room == 1


def test_an_origin_starts_with_fifty_or_with_all_there_is() -> None:
    assert Paces(most=100).of("https://a.example").room == FIRST
    assert Paces(most=10).of("https://a.example").room == 10


def test_an_origin_keeps_its_window() -> None:
    paces = Paces(most=100)
    assert paces.of("https://a.example") is paces.of("https://a.example")
    assert paces.of("https://a.example") is not paces.of("https://b.example")


def test_strangers_cannot_fill_the_memory_and_busy_origins_are_kept() -> None:
    paces = Paces(most=100)
    busy = paces.of("https://busy.example")
    busy.start()
    idle = paces.of("https://idle.example")
    for number in range(MOST_ORIGINS):
        paces.of(f"https://{number}.example")
    assert paces.of("https://busy.example") is busy
    assert paces.of("https://idle.example") is not idle


def test_what_waits_is_taken_in_order_from_origins_with_room() -> None:
    waiting = Waiting[int]()
    for origin, item in [("a", 1), ("b", 2), ("a", 3), ("b", 4)]:
        waiting.put(origin, item)
    assert waiting.take({"a": 0, "b": 1}.__getitem__) == 2
    assert waiting.take({"a": 1, "b": 1}.__getitem__) == 1
    assert len(waiting) == 2
    assert waiting.take({"a": 0, "b": 0}.__getitem__) is None
    assert [waiting.take(lambda _: 1), waiting.take(lambda _: 1), waiting.take(lambda _: 1)] == [3, 4, None]
    assert len(waiting) == 0


def silent(breaker: Breaker, origin: str, count: int, *, now: float = 0.0) -> None:
    for _ in range(count):
        breaker.note(origin, answered=False, now=now)


def test_an_origin_that_never_answers_is_left_alone_for_a_while() -> None:
    breaker = Breaker()
    silent(breaker, "https://a", TRIP - 1)
    assert breaker.rest("https://a", now=0.0) == 0
    silent(breaker, "https://a", 1, now=5.0)
    assert breaker.rest("https://a", now=6.0) == REST - 1
    assert breaker.rest("https://b", now=6.0) == 0
    assert breaker.rest("https://a", now=5.0 + REST) == 0, "then it is asked again"


def test_an_origin_that_is_still_silent_after_its_rest_gets_another_at_once() -> None:
    breaker = Breaker()
    silent(breaker, "https://a", TRIP)
    silent(breaker, "https://a", 1, now=100.0)
    assert breaker.rest("https://a", now=100.0) == REST


def test_one_answer_makes_an_origin_good_again() -> None:
    breaker = Breaker()
    silent(breaker, "https://a", TRIP)
    breaker.note("https://a", answered=True, now=1.0)
    assert breaker.rest("https://a", now=1.0) == 0
    silent(breaker, "https://a", TRIP - 1, now=1.0)
    assert breaker.rest("https://a", now=1.0) == 0


def test_silent_origins_that_strangers_name_do_not_fill_the_memory() -> None:
    breaker = Breaker()
    silent(breaker, "https://first", TRIP)
    for number in range(MOST_ORIGINS):
        silent(breaker, f"https://{number}", 1)
    assert breaker.rest("https://first", now=0.0) == 0
    assert len(breaker._silent) == MOST_ORIGINS

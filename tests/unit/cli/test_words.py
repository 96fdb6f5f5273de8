"""What commands read and print: counts, moments, audiences, failures."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import typer

from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output, ago, counted, number, plain, share
from tidings.cli.progress import check_result, summed_up, time_left
from tidings.cli.send import audience_from, moment_from

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def printed(*, as_json: bool = False) -> tuple[Output, io.StringIO, io.StringIO]:
    stdout, stderr = io.StringIO(), io.StringIO()
    return Output(as_json=as_json, stdout=stdout, stderr=stderr), stdout, stderr


def test_counts_have_thin_thousands_and_their_noun() -> None:
    assert number(12408) == "12\u2009408"
    assert counted(1, "device") == "1 device"
    assert counted(12408, "device") == "12\u2009408 devices"
    assert counted(2, "sender process", "sender processes") == "2 sender processes"


def test_a_percentage_names_its_base() -> None:
    assert share(509, 12408) == "4.1 % of 12\u2009408"
    assert share(0, 0) == ""


def test_a_few_are_never_none_and_nearly_all_are_never_all() -> None:
    assert share(10, 100_000).startswith("<0.1 % of")
    assert share(99_990, 100_000).startswith(">99.9 % of")
    assert (share(0, 9), share(9, 9)) == ("0.0 % of 9", "100.0 % of 9")


def test_an_id_stays_in_one_piece_where_there_is_little_room() -> None:
    out, stdout, _ = printed()
    out.person.width = 60
    ident = "ntf_" + 26 * "0"
    out.table(["Id", "Title", "When"], [(ident, "Fresh fish at the quay from nine", "3 minutes ago")])
    assert ident in stdout.getvalue()


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_moments_are_told_as_the_time_since(past: timedelta, words: str) -> None:
    assert ago((NOW - past).isoformat(), now=NOW) == words


def test_a_moment_that_never_was_is_a_dash() -> None:
    assert ago(None, now=NOW) == "-"


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_time_left_is_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(
    ("words", "to"),
    [
        (["all"], {"all": True}),
        (["user:u-42", "user:a:b"], {"users": ["u-42", "a:b"]}),
        (["sub:sub_1"], {"subscriptions": ["sub_1"]}),
        (["segment:Pro: seen lately"], {"segment": "Pro: seen lately"}),
        (["tag:plan=pro", "tag:query=a=b"], {"tags": {"plan": "pro", "query": "a=b"}}),
    ],
)
def test_an_audience_is_read_from_words(words: list[str], to: dict[str, object]) -> None:
    assert audience_from(words) == to


@pytest.mark.parametrize(
    "words",
    [
        ["everyone"],
        ["segment:"],
        ["segment:a", "segment:b"],
        ["user:"],
        ["tag:plan"],
        ["tag:=x"],
        ["all", "all"],
        ["all", "user:1"],
    ],
)
def test_an_audience_we_do_not_know_is_wrong_usage(words: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        audience_from(words)


def test_a_moment_keeps_the_zone_it_names() -> None:
    assert moment_from("2027-01-01T09:00Z") == datetime(2027, 1, 1, 9, tzinfo=UTC)
    assert moment_from("2027-01-01T09:00").tzinfo is not None


def test_a_moment_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="not a moment"):
        moment_from("tomorrow")


def test_a_failure_is_one_line_why_and_one_how_to_mend_on_stderr() -> None:
    out, stdout, stderr = printed()
    out.failed(CommandFailed("No [bold]key[/] exists.", "Run: tidings vapid generate"))
    assert stdout.getvalue() == ""
    assert stderr.getvalue() == "✗ No [bold]key[/] exists.\n  Run: tidings vapid generate\n"


def test_with_json_a_failure_is_one_document_and_nothing_else() -> None:
    out, stdout, stderr = printed(as_json=True)
    out.say("words")
    out.facts([("a", "b")])
    out.failed(CommandFailed("No key exists.", "Make one.", code="vapid_key_missing"))
    assert stderr.getvalue() == ""
    assert json.loads(stdout.getvalue()) == {
        "error": {"code": "vapid_key_missing", "message": "No key exists.", "mend": "Make one."}
    }


def test_what_others_wrote_is_printed_as_it_is() -> None:
    out, stdout, _ = printed()
    out.table(["Name", ">Count"], [("[red]Mine[/]", "3")])
    assert "[red]Mine[/]" in stdout.getvalue()


def test_with_json_a_failure_after_the_result_leaves_one_document() -> None:
    out, stdout, stderr = printed(as_json=True)
    out.result({"refused": 1})
    out.failed(CommandFailed("1 row was refused.", "Mend it."))
    assert json.loads(stdout.getvalue()) == {"refused": 1}
    assert stderr.getvalue() == "✗ 1 row was refused.\n  Mend it.\n"


def test_what_others_wrote_steers_no_terminal() -> None:
    out, stdout, stderr = printed()
    evil = "\x1b]0;mine\x07 \x9b31m \u202eback"
    out.say(plain(evil))
    out.done(plain(evil))
    out.facts([(evil, evil)])
    out.table(["Name"], [(evil,)])
    out.note(evil)
    out.warn(evil)
    out.failed(CommandFailed(evil, evil))
    shown = stdout.getvalue() + stderr.getvalue()
    assert not set("\x1b\x07\x9b\u202e") & set(shown)
    assert shown.count("\\x1b]0;mine\\x07 \\x9b31m \\u202eback") == 9


def test_colour_stays_away_from_what_is_no_terminal() -> None:
    out, stdout, _ = printed()
    out.done("Done.")
    assert stdout.getvalue() == "✓ Done.\n"


def finished(status: str = "done", **counts: int) -> dict[str, object]:
    every = {"audience": 0, "sent": 0, "failed": 0, "expired": 0, "skipped": 0, **counts}
    return {"id": "ntf_1", "status": status, "counts": every, "reasons": {"gone": 20, "too_large": 3}}


def test_the_final_table_adds_up_and_names_reasons_most_frequent_first() -> None:
    out, stdout, _ = printed()
    summed_up(out, finished(audience=1000, sent=977, failed=23))
    text = stdout.getvalue()
    assert "97.7 % of 1\u2009000" in text
    assert text.index("gone") < text.index("too large")


def test_a_notification_that_reached_nobody_or_was_cancelled_is_a_failure() -> None:
    check_result(finished(audience=2, sent=1, failed=1))
    with pytest.raises(CommandFailed, match="reached nobody"):
        check_result(finished(audience=2, failed=2))
    with pytest.raises(CommandFailed, match="Cancelled after 1 device of 2"):
        check_result(finished("cancelled", audience=2, sent=1, skipped=1))

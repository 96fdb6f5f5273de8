"""The answer tables: every row says where it comes from, is in the docs, and unreached services are not judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidings.domain.outcome import Refused, Unavailable
from tidings.lib.exchange import FailureKind, NetworkFailure, Reply
from tidings.providers.webpush.outcomes import ROWS, Reason
from tidings.providers.webpush.reading import outcome_from
from tidings.providers.webpush.settings import Family


def test_every_row_names_its_source_and_reads_in_lower_case() -> None:
    assert all(row.source.startswith(("https://", "RFC ")) for row in ROWS)
    assert all(row.says == row.says.lower() for row in ROWS)


def test_reasons_are_short_and_fit_for_a_counter() -> None:
    assert all(reason.replace("_", "").isalpha() and reason.islower() and len(reason) <= 32 for reason in Reason)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_service_that_was_not_reached_is_tried_again_unless_the_address_is_forbidden(kind: FailureKind) -> None:
    outcome = outcome_from(Family.UNKNOWN, NetworkFailure(kind), now=0.0)
    if kind is FailureKind.FORBIDDEN_ADDRESS:
        assert outcome == Refused(Reason.FORBIDDEN_ADDRESS)
    else:
        assert isinstance(outcome, Unavailable)
        assert outcome.after is None


@pytest.mark.parametrize("location", ["x" * 257, "https://a/\r\nb", "https://a/\u00e9", ""])
def test_a_reference_that_cannot_be_kept_is_left_out(location: str) -> None:
    outcome = outcome_from(Family.GOOGLE, Reply(201, {"location": location}, b""), now=0.0)
    assert getattr(outcome, "ref", None) == ""


def test_the_reference_page_names_every_reason_and_every_row() -> None:
    page = (Path(__file__).parents[4] / "docs" / "reference" / "providers" / "webpush.md").read_text("utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in page] == []
    assert [row.says for row in ROWS if row.says and f"`{row.says}`" not in page] == []
    assert [row.source for row in ROWS if row.source not in page] == []

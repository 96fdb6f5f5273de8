from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.lib.cells import safe_cell

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('=HYPERLINK("https://evil.example")', '\'=HYPERLINK("https://evil.example")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\uff1d1", "'\uff1d1"),
        # A spreadsheet that splits at semicolons finds three cells in this one.
        ("Anna;=1+1; @x", "Anna;'=1+1;' @x"),
        ('a";=1', "a\";'=1"),
        ('a;"=1"', 'a;\'"=1"'),
        ("Anna - and Ben = two; or 3", "Anna - and Ben = two; or 3"),
        ("anna@example.com", "anna@example.com"),
        ("", ""),
        ("2026-11-26", "2026-11-26"),
    ],
)
def test_no_text_begins_a_formula(text: str, written: str) -> None:
    assert safe_cell(text) == written


@given(st.text(alphabet=st.sampled_from([*SIGNS, *" ;,\t\r\n\"'1a"])))
def test_nor_does_any_cell_that_a_program_splits_it_into(text: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(["1", safe_cell(text), "x"])
    (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    for cell in (row[1], *re.split(r"[;\t\r\n]", out.getvalue())):
        assert not cell.lstrip(' "').startswith(tuple(SIGNS))

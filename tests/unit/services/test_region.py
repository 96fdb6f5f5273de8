"""Languages and time zones as browsers tell them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.services.region import locale_from, time_zone_from


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("de-AT", "de-AT"),
        ("DE_at", "de-AT"),
        ("en", "en"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sr-Latn-RS", "sr-Latn-RS"),
        ("de-CH-1996", "de-CH-1996"),
        ("ca-ES-valencia", "ca-ES-valencia"),
        ("de-DE-u-co-phonebk", "de-DE"),
        ("en-US-x-twain", "en-US"),
        (" pt-br ", "pt-BR"),
        ("", None),
        (None, None),
        ("C", None),
        ("C.UTF-8", None),
        ("de-", None),
        ("-", None),
        ("de AT", None),
        ("de-AT-AT", None),
        ("x-klingon", None),
        ("ŕu", None),
        ("<script>", None),
    ],
)
def test_a_language_is_kept_as_bcp_47_writes_it(told: str | None, kept: str | None) -> None:
    assert locale_from(told) == kept


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Europe/Vienna", "Europe/Vienna"),
        ("America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("", None),
        (None, None),
        ("Etc/Unknown", None),
        ("Mars/Olympus", None),
        ("Europe", None),
        ("Europe/", None),
        ("/etc/passwd", None),
        ("../../etc/passwd", None),
        ("Europe/../../../../etc/passwd", None),
        ("localtime", None),
        ("posixrules", None),
        ("right/Europe/Vienna", None),
        ("Factory", None),
        ("A" * 64, None),
        ("Europe/Vi\x00enna", None),
    ],
)
def test_a_time_zone_is_kept_by_its_present_name_and_an_unknown_one_left_out(
    told: str | None, kept: str | None
) -> None:
    assert time_zone_from(told) == kept


def test_a_machine_without_time_zones_of_its_own_knows_them_too() -> None:
    code = "from tidings.services.region import time_zone_from as f; print(f('Europe/Vienna'), f('Mars/Olympus'))"
    alone = {**os.environ, "PYTHONTZPATH": ""}
    said = subprocess.run([sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=True).stdout
    assert said == "Europe/Vienna None\n"


@given(st.text(max_size=70))
def test_no_text_breaks_either(text: str) -> None:
    found = locale_from(text)
    assert found is None or (found.isascii() and locale_from(found) == found)
    time_zone_from(text)

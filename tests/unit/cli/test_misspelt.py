"""A name that is nearly a setting is told, and never taken in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidings.cli.failure import CommandFailed
from tidings.cli.misspelt import check_file, misspelt
from tidings.settings import Settings

KNOWN = Settings.model_fields


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("portt = 1", "Did you mean `port`?"),
        ("PORT = 1", "Did you mean `port`?"),
        ("TIDINGS_PUBLIC_URL = 'x'", "Did you mean `public_url`?"),
        ("[server]\nport = 1", "docs/reference/settings.md has them all."),
    ],
)
def test_a_file_with_a_name_that_is_no_setting_is_refused(tmp_path: Path, line: str, mend: str) -> None:
    file = tmp_path / "tidings.toml"
    file.write_text(line)
    with pytest.raises(CommandFailed, match="which is no setting") as failure:
        check_file(file, KNOWN)
    assert failure.value.mend == mend


def test_a_file_of_settings_passes(tmp_path: Path) -> None:
    file = tmp_path / "tidings.toml"
    file.write_text('port = 8081\npublic_url = "https://push.example.com"')
    check_file(file, KNOWN)


def test_a_variable_that_is_nearly_a_setting_is_told() -> None:
    assert list(misspelt({"TIDINGS_PROT": "1", "TIDINGS_PUBLIC_ULR": "x"}, KNOWN)) == [
        ("TIDINGS_PROT", "TIDINGS_PORT"),
        ("TIDINGS_PUBLIC_ULR", "TIDINGS_PUBLIC_URL"),
    ]


@pytest.mark.parametrize(
    "variable", ["TIDINGS_PORT", "TIDINGS_KEY", "TIDINGS_SECRET", "TIDINGS_CONFIG", "TIDINGS_TRACEBACK", "PROT"]
)
def test_variables_of_others_are_left_alone(variable: str) -> None:
    assert list(misspelt({variable: "1"}, KNOWN)) == []

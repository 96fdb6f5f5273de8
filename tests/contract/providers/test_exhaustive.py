"""An outcome that somebody forgets is found before anything runs: mypy says which."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from mypy import api

from tidings.domain import outcome

ROOT = Path(__file__).parents[3]
KINDS = [kind.__name__ for kind in get_args(outcome.Outcome)]


def module(kinds: list[str]) -> str:
    cases = "".join(f"        case {kind}():\n            return {kind!r}\n" for kind in kinds)
    return (
        "from typing import assert_never\n"
        f"from tidings.domain.outcome import {', '.join(KINDS)}, Outcome\n\n\n"
        "def consequence(outcome: Outcome) -> str:\n"
        f"    match outcome:\n{cases}        case _:\n            assert_never(outcome)\n"
    )


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy says of one module that knows every outcome and of one for each that lacks it; a single run."""
    folder = tmp_path_factory.mktemp("forgetful")
    config = folder / "mypy.ini"
    config.write_text(f"[mypy]\nstrict = True\nmypy_path = {ROOT / 'src'}\npython_version = 3.11\n")
    modules = {"nothing": KINDS, **{kind: [one for one in KINDS if one != kind] for kind in KINDS}}
    files = []
    for forgotten, kinds in modules.items():
        files.append(folder / f"without_{forgotten.lower()}.py")
        files[-1].write_text(module(kinds))
    arguments = ["--config-file", str(config), "--cache-dir", str(folder / "cache"), *map(str, files)]
    output, errors, _ = api.run(arguments)
    assert not errors
    return {forgotten: "\n".join(_about(output, file.name)) for forgotten, file in zip(modules, files, strict=True)}


def _about(output: str, name: str) -> list[str]:
    return [line for line in output.splitlines() if name in line]


def test_whoever_knows_every_outcome_is_fine(said: dict[str, str]) -> None:
    assert len(KINDS) == 8
    assert said["nothing"] == ""


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_forgets_one_is_told_which(said: dict[str, str], kind: str) -> None:
    assert 'Argument 1 to "assert_never"' in said[kind]
    assert f'"{kind}"' in said[kind]

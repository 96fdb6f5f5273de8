"""The domain is values: the standard library alone, and nothing of it that touches the world."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import tidings.domain
from tidings.domain.errors import CATALOGUE, ErrorCode

FILES = sorted(Path(tidings.domain.__path__[0]).rglob("*.py"))
WORLD = {"asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "time", "urllib"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_domain_imports_the_standard_library_and_itself_alone(path: Path) -> None:
    for name in imported(path):
        root = name.split(".")[0]
        assert name.startswith("tidings.domain") or root in sys.stdlib_module_names, name
        assert root not in WORLD, f"{path.name} imports {name}, which touches the world"


def test_the_domain_has_files_to_look_at() -> None:
    assert {"outcome.py", "message.py", "codes.py"} <= {path.name for path in FILES}


def test_every_error_code_is_in_the_catalogue_and_says_how_to_mend_it() -> None:
    assert set(CATALOGUE) == set(ErrorCode)
    for code, entry in CATALOGUE.items():
        assert 400 <= entry.status < 600, code
        assert entry.title, code
        assert not entry.title.endswith("."), code
        assert entry.mend.endswith("."), code
        assert "!" not in entry.title + entry.mend, code


def test_error_codes_are_in_alphabetical_order() -> None:
    names = [code.name for code in ErrorCode]
    assert names == sorted(names)

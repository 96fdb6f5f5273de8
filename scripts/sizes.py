"""Cap the tail: no source file over 300 lines, no function over 60, tables and generated files aside."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FILE_LINES = 300
FUNCTION_LINES = 60
TABLES = {
    "src/tidings/storage/migrations/versions/0001_pre_begin.py": "every table of the database, as the first migration",
}


def tracked() -> list[Path]:
    """List the tracked sources."""
    listed = subprocess.run(
        ["git", "ls-files", "src/*.py", "src/*.[ch]", "bench/*.py", "sdk/src/*.ts", "dashboard/src/*"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if line.endswith((".py", ".c", ".h", ".ts", ".svelte"))]


def too_long(path: Path) -> list[str]:
    """Name what in a file is too long."""
    text = path.read_text()
    lines = text.count("\n")
    found = []
    if lines > FILE_LINES and str(path) not in TABLES:
        found.append(f"{path}: {lines} lines, at most {FILE_LINES}")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and str(path) not in TABLES:
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}")
    return found


def main() -> int:
    """Print every excess; 1 if there is one."""
    found = [one for path in tracked() if path.exists() for one in too_long(path)]
    print("\n".join(found))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Compiles the part of Tidings that is in C while a wheel or an editable installation is built, where that can be done.

Nothing but speed depends on it: without a compiler, or on another processor than x86-64, Python does it all.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ("-std=c11", "-D_DEFAULT_SOURCE", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
FOLDER = Path("src/tidings/lib/agreement")
SOURCE, LIBRARY = "lanes.c", "_lanes.so"


class Compile(BuildHookInterface[Any]):
    """Puts the compiled part beside its source; hatchling takes it into the wheel as one of its artifacts."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered."""
        why_not = compiled(Path(self.root) / FOLDER)
        if why_not:
            self.app.display_warning(f"Without the compiled part, which makes Web Push faster: {why_not}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compiled(folder: Path) -> str | None:
    """Compile it; give the reason where it cannot be done, and leave nothing that an earlier build made."""
    why_not = _compile(folder)
    if why_not:
        (folder / LIBRARY).unlink(missing_ok=True)
    return why_not


def _compile(folder: Path) -> str | None:
    if platform.machine().lower() not in ("x86_64", "amd64") or sys.platform not in ("linux", "darwin"):
        return f"it is for x86-64 under Linux and macOS, and this is {platform.machine()} under {sys.platform}"
    compiler = _compiler()
    if compiler is None:
        return "no C compiler is installed (Debian, Ubuntu: apt install gcc libc6-dev)"
    new = folder / f"{LIBRARY}.{os.getpid()}"
    command = [*compiler, *FLAGS, str(folder / SOURCE), "-o", str(new)]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the compiler that is named
    except subprocess.CalledProcessError as failed:
        return f"{shlex.join(command)} failed:\n{failed.stderr}"
    except OSError as fault:
        return f"{compiler[0]} cannot be run: {fault}"
    new.replace(folder / LIBRARY)  # at once: whoever starts meanwhile loads the old one or the new one
    return None


def _compiler() -> list[str] | None:
    named = os.environ.get("CC")
    if named:
        return shlex.split(named)
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return [found] if found else None

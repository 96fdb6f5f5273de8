"""Compiles the part of Tidings that is in C while a wheel or an editable installation is built, where that can be done.

Nothing but speed depends on it: without a compiler, or on another processor than x86-64, OpenSSL does it all.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

FLAGS = ("-std=c11", "-D_DEFAULT_SOURCE", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
PACKAGE = "tidings/lib/agreement"
SOURCE, LIBRARY = "lanes.c", "_lanes.so"


class Compile(BuildHookInterface[Any]):
    """Puts the compiled part into the wheel, or beside its source for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are gathered."""
        folder = Path(self.root) / "src" / PACKAGE
        self._made = TemporaryDirectory(prefix="tidings-")
        library = Path(self._made.name) / LIBRARY
        why_not = compiled(folder / SOURCE, library)
        if why_not:
            self.app.display_warning(f"Without the compiled part, which makes Web Push faster: {why_not}")
        if version == "editable":
            _put(folder, library)
        elif not why_not:
            build_data["force_include"][str(library)] = f"{PACKAGE}/{LIBRARY}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what the wheel has now."""
        self._made.cleanup()


def compiled(source: Path, library: Path) -> str | None:
    """Compile it; give the reason where that cannot be done."""
    known = platform.machine().lower() in ("x86_64", "amd64") and sys.platform in ("linux", "darwin")
    if not known or sys.maxsize < 2**32:
        return f"it is for x86-64 under Linux and macOS, and this is {platform.machine()} under {sys.platform}"
    try:
        command = [*_compiler(), *FLAGS, str(source), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except (OSError, ValueError) as error:
        return f"no C compiler can be started: {error} (Debian, Ubuntu: apt install gcc libc6-dev, and mind CC)"
    return f"{shlex.join(command)} failed:\n{done.stderr}" if done.returncode else None


def _compiler() -> list[str]:
    named = os.environ.get("CC")
    return shlex.split(named) if named else [next(filter(shutil.which, ("cc", "gcc", "clang")), "cc")]


def _put(folder: Path, library: Path) -> None:
    """Put it beside its source in one step, as it may be in use there; what an earlier build left goes away."""
    if library.exists():
        new = folder / f"{LIBRARY}.{os.getpid()}"
        shutil.copy(library, new)
        new.replace(folder / LIBRARY)
    else:
        (folder / LIBRARY).unlink(missing_ok=True)


def _platform() -> str:
    """Name this system as installers do: the most exact of its names that promises no other one."""
    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))

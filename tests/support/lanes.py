"""Whether keys can be agreed on eight side by side here, found out by other means than the code under test."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "tidings" / "lib" / "agreement" / "lanes.c"


def compiler() -> str | None:
    """Find a C compiler where the compiled part is for."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        return None
    return os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def why_no_lanes() -> str | None:
    """Give the reason why they cannot, or nothing where they must."""
    if compiler() is None:
        return "no C compiler for x86-64 under Linux is here"
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    missing = {"avx512f", "avx512ifma"} - set(flags)
    return f"this processor lacks {', '.join(sorted(missing))}" if missing else None


def compile_lanes(to: Path, *flags: str) -> Path:
    """Compile it as a test wishes."""
    return _compiled(SOURCE, to, "-fPIC", "-shared", *flags)


def compile_program(name: str, to: Path, *flags: str) -> Path:
    """Compile a program of this folder that looks at the compiled part from inside."""
    return _compiled(Path(__file__).with_name(name), to, f"-I{SOURCE.parent}", *flags)


def _compiled(source: Path, to: Path, *flags: str) -> Path:
    command = [*shlex.split(str(compiler())), "-std=c11", "-D_DEFAULT_SOURCE", *flags, str(source), "-o", str(to)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return to

"""What is built where the part in C can be compiled and where not, from a tree with little more than that in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.lanes import compiler

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).parent / "uv"
PART = Path("src/tidings/lib/agreement")
IN_WHEEL = "tidings/lib/agreement/_lanes.so"
BY_HAND = "what runs from the tree"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(compiler() is None, reason="no C compiler for x86-64 is here")]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    shutil.copytree(ROOT / PART, folder / PART, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "scripts/compile.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def build(tree: Path, *options: str, cc: str | None = None) -> Path:
    """Build as `uv build` does: the source distribution and the wheel from that, unless told otherwise."""
    environment = os.environ | ({} if cc is None else {"CC": cc})
    out = tree.parent / "dist"
    done = subprocess.run(
        [UV, "build", *options, "--out-dir", out, tree], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize("cc", ["false", "/no/such/compiler", 'cc "'], ids=["fails", "is not there", "cannot be read"])
def test_a_compiler_that_cannot_be_used_is_done_without(tree: Path, cc: str) -> None:
    wheel = build(tree, "--wheel", cc=cc)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert IN_WHEEL not in names(wheel)
    assert f"{Path(IN_WHEEL).parent}/lanes.py" in names(wheel)


@pytest.mark.parametrize("cc", ["false", None], ids=["without a compiler", "with one"])
def test_a_wheel_leaves_what_runs_from_the_tree_alone(tree: Path, cc: str | None) -> None:
    here = tree / PART / "_lanes.so"
    here.write_text(BY_HAND)
    wheel = build(tree, "--wheel", cc=cc)
    assert here.read_text() == BY_HAND
    assert (IN_WHEEL in names(wheel)) == (cc is None)
    assert not [path.name for path in (tree / PART).iterdir() if path.suffix not in {".py", ".h", ".c", ".so"}]


def test_the_compiler_may_be_named_with_options(tree: Path) -> None:
    assert IN_WHEEL in names(build(tree, "--wheel", cc=f"{compiler()} -m64"))


def test_the_source_distribution_holds_what_the_wheel_is_compiled_from_and_nothing_compiled(tree: Path) -> None:
    (tree / PART / "_lanes.so").write_text(BY_HAND)
    wheel = build(tree)
    assert names(wheel).count(IN_WHEEL) == 1
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        held = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    assert {PART / "lanes.c", PART / "field.h", PART / "curve.h", Path("scripts/compile.py")} <= held
    assert not {path for path in held if path.suffix == ".so"}


def test_an_editable_installation_has_it_beside_its_source_and_no_old_one(tree: Path) -> None:
    environment = os.environ | {"VIRTUAL_ENV": str(tree.parent / "venv")}
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment["VIRTUAL_ENV"]], check=True)
    there = []
    for cc in ({}, {"CC": "false"}):
        command = [UV, "pip", "install", "--quiet", "--no-deps", "-e", tree]
        subprocess.run(command, check=True, env=environment | cc, timeout=200)
        there.append((tree / PART / "_lanes.so").exists())
    assert there == [True, False]

"""Documentation that can drift is tested: links lead somewhere, commands exist, settings and errors are all there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tidings.storage.schema import metadata

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?:   )?```[a-z]*\n(.*?)^(?:   )?```", re.M | re.S)
COMMAND = re.compile(r"(?:^|\s|/|`|&& )tidings ((?:[a-z]+ ?){1,2})")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{name(page)} links to {link}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.read_text()), f"{name(page)} links to {link}"


def commands() -> set[str]:
    """List the commands and their subcommands by asking the program."""
    script = """
from tidings.cli.main import build
import typer.main
group = typer.main.get_command(build())
for name, command in group.commands.items():
    print(name)
    for sub in getattr(command, "commands", {}):
        print(name, sub)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_commands_in_the_docs_exist() -> None:
    known = commands()
    groups = {one.split()[0] for one in known if " " in one}
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        for block in FENCE.findall(page.read_text()):
            for line in block.splitlines():
                for words in COMMAND.findall(line):
                    first, *rest = words.split()
                    assert first in known, f"{name(page)}: tidings {words}"
                    if first in groups and rest:
                        assert f"{first} {rest[0]}" in known, f"{name(page)}: tidings {words}"


def test_the_settings_page_is_what_the_settings_say() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts" / "settings_page.py", "--check"], check=False)
    assert checked.returncode == 0, "run: .venv/bin/python scripts/settings_page.py"


def test_the_dashboard_can_say_every_error_in_other_languages() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts" / "error_texts.py", "--check"], check=False)
    assert checked.returncode == 0, "run: .venv/bin/python scripts/error_texts.py, then translate what is new"


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.M):
            assert target in targets, f"{name(page)}: make {target}"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_page_speaks_of_a_machine_it_was_written_on() -> None:
    home = re.compile(r"(?<![\w.])/(?:home|root|work)/")
    for page in PAGES:
        assert not home.search(page.read_text()), name(page)


def test_the_page_on_storage_names_every_table() -> None:
    page = (ROOT / "docs" / "explanation" / "storage.md").read_text()
    named = re.findall(r"`([a-z_]+)`", page.partition("## The tables")[2].partition("Moments are")[0])
    assert sorted(named) == sorted(metadata.tables)

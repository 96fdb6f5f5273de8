"""The page on conditions tells what is so: its examples are read, and its two forms are one tree."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tidings.domain.filters import check, filter_from
from tidings.domain.filters.codec import NEGATED
from tidings.domain.filters.tree import Op

PAGE = (Path(__file__).parents[2] / "docs/explanation/conditions.md").read_text()


def test_both_forms_of_the_example_are_one_tree() -> None:
    (text,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    (plain,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    tree = filter_from(text)
    assert tree == filter_from(json.loads(plain))
    assert check(tree) == []


def test_every_operator_is_named() -> None:
    assert {word for word in (*Op, *NEGATED) if f"`{word}`" not in PAGE} == set()

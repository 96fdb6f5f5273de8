"""How large conditions may be, and the one error for those that are not right."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault

DEEPEST = 8
MOST_NODES = 200
LONGEST_LIST = 1_000
LONGEST_TEXT = 1_024
"""Bytes in UTF-8."""

LARGEST = 65_536
"""Bytes of all texts together, and characters of the text form."""

LONGEST_PATH = 10
LONGEST_NAME = 100


def refusal(faults: Sequence[FieldFault]) -> CatalogueError:
    """Make the error of conditions with these faults; there is one at least."""
    first = faults[0]
    detail = f"{first.field}: {first.message}" if first.field else first.message
    return CatalogueError(ErrorCode.FILTER_INVALID, detail, faults=tuple(faults[:20]))

"""The error catalogue: every fault of a caller has a stable code, a status, a title and a place in the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidings.domain.errors.accounts import ACCOUNTS
from tidings.domain.errors.codes import ErrorCode, ErrorEntry
from tidings.domain.errors.devices import DEVICES
from tidings.domain.errors.requests import REQUESTS
from tidings.domain.errors.sending import SENDING

__all__ = ["CATALOGUE", "CatalogueError", "ErrorCode", "ErrorEntry", "FieldFault"]

CATALOGUE: Mapping[ErrorCode, ErrorEntry] = {**REQUESTS, **ACCOUNTS, **DEVICES, **SENDING}
"""Every code; a test sees that none is missing."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: its path (`actions.0.url`) and what is wrong with it."""

    field: str
    message: str


class CatalogueError(Exception):
    """The caller's fault, by code; `detail` says what is wrong with this very request.

    `retry_after` is in seconds, where trying again later helps.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str = "",
        *,
        faults: tuple[FieldFault, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        entry = CATALOGUE[code]
        super().__init__(detail or entry.title)
        self.code = code
        self.entry = entry
        self.detail = detail or entry.title
        self.faults = faults
        self.retry_after = retry_after

    def within(self, place: str) -> CatalogueError:
        """Give the same error of a part of something larger: its faults name their fields from there."""
        faults = [FieldFault(".".join(filter(None, (place, one.field))), one.message) for one in self.faults]
        return CatalogueError(self.code, f"{place}: {self.detail}", faults=tuple(faults), retry_after=self.retry_after)

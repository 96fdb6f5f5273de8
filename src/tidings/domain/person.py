"""Whom a device belongs to, as far as the App or the device has told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Who uses a subscription; for a device without a user only what it says itself.

    `time_zone` is the device's, as that is where the person is, else the one that the App's server named.
    """

    external_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    locale: str | None = None
    time_zone: str | None = None

    def record(self) -> dict[str, Any]:
        """Give the values under `user` in a template: the attributes, and `id`, `locale` and `time_zone`."""
        return {**self.attributes, "id": self.external_id, "locale": self.locale, "time_zone": self.time_zone}


NOBODY = Person()

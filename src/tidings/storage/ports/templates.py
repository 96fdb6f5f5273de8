"""The port of templates."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tidings.domain.template import NewTemplate, Template


class Templates(Protocol):
    """Words with gaps, by id; a name is used once in an App."""

    def add(self, app_id: int, new: NewTemplate, *, public_id: str, now: datetime) -> Template: ...
    def change(self, template_id: int, new: NewTemplate, *, now: datetime) -> Template:
        """Put other words in its place, as its next version."""
        ...

    def get(self, app_id: int, public_id: str) -> Template | None: ...
    def by_name(self, app_id: int, name: str) -> Template | None: ...
    def page(self, app_id: int, *, after: int, limit: int) -> list[Template]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        ...

    def count(self, app_id: int) -> int: ...
    def delete(self, template_id: int) -> None: ...

"""Users: the people an App knows, by its own ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidings.domain.app import Named, User
from tidings.domain.audit import SYSTEM, Action, Actor, Subject, is_person
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.lib.clock import Clock
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction


class Users:
    """Keeps what an App's server says of its people."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(
        self,
        app_id: int,
        external_id: str,
        *,
        attributes: Mapping[str, Any] | None,
        locale: str | None,
        time_zone: str | None,
        by: Actor = SYSTEM,
    ) -> tuple[User, bool]:
        """Store a user; None leaves a part as it was. The second value tells whether the user is new."""
        now = self._clock.now()

        def put(tx: Transaction) -> tuple[User, bool]:
            stored = tx.users.put(
                app_id, external_id, attributes=attributes, locale=locale, time_zone=time_zone, now=now
            )
            if is_person(by):
                about = Subject("user", tx.audit.pseudonym(app_id, external_id))
                tx.audit.add(by, Action.USER_WRITTEN, app_id=app_id, subject=about, detail={"new": stored[1]}, now=now)
            return stored

        return await self._store.write(put)

    async def get(self, app_id: int, external_id: str) -> User:
        """Give one user. Raises NOT_FOUND."""
        user = await self._store.read(lambda tx: tx.users.get(app_id, external_id))
        if user is None:
            raise _not_found(external_id)
        return user

    async def page(self, app_id: int, *, cursor: str | None, limit: int, search: str = "") -> Page[User]:
        """List users, or those whose id or name has words that begin so. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: tx.users.page(app_id, after=after, limit=limit + 1, search=search))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def lookup(self, app_id: int, external_ids: Sequence[str]) -> tuple[list[Named], list[str]]:
        """Give those of some ids that the App knows and those it does not, each once and in the order asked."""
        asked = list(dict.fromkeys(external_ids))
        found = await self._store.read(lambda tx: tx.users.lookup(app_id, asked))
        return [found[one] for one in asked if one in found], [one for one in asked if one not in found]

    async def delete(self, app_id: int, external_id: str, *, by: Actor = SYSTEM) -> None:
        """Forget a user. Raises NOT_FOUND."""
        now = self._clock.now()

        def delete(tx: Transaction) -> None:
            if not tx.users.delete(app_id, external_id):
                raise _not_found(external_id)
            about = Subject("user", tx.audit.pseudonym(app_id, external_id))
            tx.audit.add(by, Action.USER_DELETED, app_id=app_id, subject=about, now=now)

        await self._store.write(delete)


def _not_found(external_id: str) -> CatalogueError:
    return CatalogueError(ErrorCode.NOT_FOUND, f"There is no user {external_id[:64]!r}.")

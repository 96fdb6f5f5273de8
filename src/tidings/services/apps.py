"""Apps: one for each site or mobile app, with the origins whose pages may subscribe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from tidings.domain.app import App
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.content import is_local
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.services.identity import identity_required, require_identity
from tidings.services.web_push import enable_web_push, web_push_enabled
from tidings.storage import Store, Transaction

FIRST_NAME = "My site"
MAX_ORIGINS = 100
_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
"""A name, or an IPv6 address, as browsers write it."""

_OTHERWISE = frozenset("ß\N{GREEK SMALL LETTER FINAL SIGMA}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")
"""What IDNA 2003, which Python has, writes in another way than browsers do: it would be another site."""


@dataclass(frozen=True, slots=True)
class AppDetails:
    """An App with the settings that are kept beside it."""

    app: App
    require_signed_identity: bool
    web_push_enabled: bool = True


class Apps:
    """Makes, finds and changes Apps."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def ensure_first(self) -> App:
        """Give the oldest App; on an empty instance make it."""
        apps = await self._store.read(lambda tx: tx.apps.all())
        if apps:
            return apps[0]
        public_id, secret, now = self._ids.new("app"), self._secret(), self._clock.now()

        def make(tx: Transaction) -> App:
            found = tx.apps.all()
            return (
                found[0]
                if found
                else tx.apps.add(public_id=public_id, name=FIRST_NAME, identity_secret=secret, now=now)
            )

        return await self._store.write(make)

    async def create(self, name: str, *, origins: Sequence[str] = (), by: Actor = SYSTEM) -> AppDetails:
        """Make an App. Raises INVALID_REQUEST for an origin that is none."""
        checked = origins_from(origins)
        public_id, secret, now = self._ids.new("app"), self._secret(), self._clock.now()

        def make(tx: Transaction) -> AppDetails:
            app = tx.apps.add(public_id=public_id, name=name, identity_secret=secret, now=now)
            detail = {"origins": list(checked)}
            tx.audit.add(by, Action.APP_CREATED, app_id=app.id, subject=_subject(app), detail=detail, now=now)
            return AppDetails(tx.apps.update(app.id, origins=checked) if checked else app, False)

        return await self._store.write(make)

    async def all(self) -> list[AppDetails]:
        """List every App, oldest first."""
        return await self._store.read(lambda tx: [_details(tx, app) for app in tx.apps.all()])

    async def get(self, public_id: str) -> AppDetails:
        """Give one App. Raises APP_NOT_FOUND."""
        return await self._store.read(lambda tx: _details(tx, _found(tx, public_id)))

    async def by_id(self, app_id: int) -> App:
        """Give the App of an API key. Raises APP_NOT_FOUND."""
        app = await self._store.read(lambda tx: tx.apps.by_id(app_id))
        if app is None:
            raise CatalogueError(ErrorCode.APP_NOT_FOUND)
        return app

    async def resolve(self, public_id: str | None) -> App:
        """Give the named App, or the instance's only one. Raises APP_NOT_FOUND, APP_REQUIRED."""
        return await self._store.read(lambda tx: _resolved(tx, public_id))

    async def update(
        self,
        public_id: str,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        allow: Sequence[str] = (),
        disallow: Sequence[str] = (),
        require_signed_identity: bool | None = None,
        language: str | None = None,
        web_push: bool | None = None,
        by: Actor = SYSTEM,
    ) -> AppDetails:
        """Change what is not None; `origins` replaces all, then `allow` adds and `disallow` takes away.

        Raises APP_NOT_FOUND, and INVALID_REQUEST for an origin that is none.
        """
        given = None if origins is None else origins_from(origins)
        more = origins_from(allow, field="allow_origins")
        less = origins_from(disallow, field="disallow_origins")
        now = self._clock.now()

        def change(tx: Transaction) -> AppDetails:
            app = before = _found(tx, public_id)
            required = identity_required(tx, app.id)
            kept = given if given is not None else app.origins
            wanted = tuple(one for one in dict.fromkeys((*kept, *more)) if one not in less)
            _limited(wanted)
            changed = wanted if wanted != app.origins else None
            if (name, changed, language) != (None, None, None):
                app = tx.apps.update(app.id, name=name, origins=changed, language=language)
            if require_signed_identity is not None:
                require_identity(tx, app.id, require_signed_identity)
            detail = _changes(before, app)
            if web_push is not None and web_push != web_push_enabled(tx, app.id):
                enable_web_push(tx, app.id, web_push)
                detail["web_push_enabled"] = web_push
            if require_signed_identity not in (None, required):
                detail["require_signed_identity"] = require_signed_identity
            if detail:
                tx.audit.add(by, Action.APP_CHANGED, app_id=app.id, subject=_subject(app), detail=detail, now=now)
            return _details(tx, app)

        return await self._store.write(change)

    async def new_identity_secret(self, public_id: str, *, grace: timedelta, by: Actor) -> App:
        """Make a new identity secret, the one before holds for the time of grace besides. Raises APP_NOT_FOUND."""
        secret, now = self._secret(), self._clock.now()
        until = now + grace if grace else None

        def rotate(tx: Transaction) -> App:
            app = tx.apps.rotate_secret(_found(tx, public_id).id, secret, keep_until=until, now=now)
            detail = {"grace_hours": int(grace.total_seconds() // 3_600)}
            tx.audit.add(by, Action.IDENTITY_SECRET_SHOWN, app_id=app.id, subject=_subject(app), detail=detail, now=now)
            return app

        return await self._store.write(rotate)

    async def end_earlier_secret(self, public_id: str, *, by: Actor) -> None:
        """Let the identity secret before the one in force hold no longer. Raises APP_NOT_FOUND."""
        now = self._clock.now()

        def end(tx: Transaction) -> None:
            app = tx.apps.end_earlier_secret(_found(tx, public_id).id)
            detail = {"earlier_identity_secret": "ended"}
            tx.audit.add(by, Action.APP_CHANGED, app_id=app.id, subject=_subject(app), detail=detail, now=now)

        await self._store.write(end)

    def _secret(self) -> bytes:
        # The characters people copy are the key itself, so that no language has to decode anything first.
        return self._ids.secret().encode()


def _limited(origins: tuple[str, ...]) -> None:
    if len(origins) > MAX_ORIGINS:
        why = f"An App takes up to {MAX_ORIGINS} origins; make a second App."
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"origins: {why}", faults=(FieldFault("origins", why),))


def origins_from(values: Sequence[str], *, field: str = "origins") -> tuple[str, ...]:
    """Normalise origins to what browsers send in `Origin`; raise INVALID_REQUEST naming each that is none."""
    faults = []
    origins: dict[str, None] = {}
    for index, value in enumerate(values):
        try:
            origins[origin_from(value)] = None
        except ValueError as fault:
            faults.append(FieldFault(f"{field}.{index}", str(fault)))
    if len(origins) > MAX_ORIGINS:
        faults.append(FieldFault(field, f"An App takes up to {MAX_ORIGINS} origins; make a second App."))
    if faults:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, f"{faults[0].field}: {faults[0].message}", faults=tuple(faults))
    return tuple(origins)


def origin_from(value: str) -> str:
    """Normalise one origin, `scheme://host[:port]`; raise ValueError saying what is wrong with it."""
    text = value.strip()
    if "*" in text:
        raise ValueError("An origin has no wildcard; list each site, such as https://www.example.com.")
    if not _OTHERWISE.isdisjoint(text):
        raise ValueError("Write this name as browsers send it, beginning with xn--.")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError) as fault:
        raise ValueError("This is not an origin; write it as https://www.example.com.") from fault
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or not text.isprintable():
        raise ValueError("This is not an origin; write it as https://www.example.com.")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("An origin ends after the host and port; leave out the path and what follows it.")
    if parts.scheme == "http" and not is_local(host):
        raise ValueError("Browsers allow push on https only; http is for localhost.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" if port in (None, _PORTS[parts.scheme]) else f"{parts.scheme}://{shown}:{port}"


def _subject(app: App) -> Subject:
    return Subject("app", app.public_id, app.name)


def _changes(before: App, after: App) -> dict[str, object]:
    changed: dict[str, object] = {}
    if after.name != before.name:
        changed |= {"name": after.name, "name_before": before.name}
    if after.origins != before.origins:
        changed["origins_added"] = [one for one in after.origins if one not in before.origins]
        changed["origins_removed"] = [one for one in before.origins if one not in after.origins]
    if after.language != before.language:
        changed["language"] = after.language
    return changed


def _details(tx: Transaction, app: App) -> AppDetails:
    return AppDetails(app, identity_required(tx, app.id), web_push_enabled(tx, app.id))


def _found(tx: Transaction, public_id: str) -> App:
    app = tx.apps.get(public_id)
    if app is None:
        raise CatalogueError(ErrorCode.APP_NOT_FOUND, f"There is no App {public_id[:64]!r}.")
    return app


def _resolved(tx: Transaction, public_id: str | None) -> App:
    if public_id is not None:
        return _found(tx, public_id)
    apps = tx.apps.all()
    if not apps:
        raise CatalogueError(ErrorCode.APP_NOT_FOUND, "This instance has no App yet.")
    if len(apps) > 1:
        raise CatalogueError(ErrorCode.APP_REQUIRED, f"This instance has {len(apps)} Apps; say which one you mean.")
    return apps[0]

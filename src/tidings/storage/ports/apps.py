"""The ports of Apps, their integrations and credentials, and the people that they know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from tidings.domain.app import App, Credential, CredentialStatus, Integration, Named, User

Kept = Literal["rules", "follows", "images"]
"""What one at a time changes in an App: rules are its event types, templates, segments and triggers, which name
each other."""


class Apps(Protocol):
    """Apps."""

    def hold(self, app_id: int, kept: Kept) -> None:
        """Let nobody else count or change these of the App until the transaction ends; before anything is read."""
        ...

    def add(self, *, public_id: str, name: str, identity_secret: bytes, now: datetime) -> App: ...
    def get(self, public_id: str) -> App | None: ...
    def by_id(self, app_id: int) -> App | None: ...
    def all(self) -> list[App]: ...
    def update(
        self,
        app_id: int,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        language: str | None = None,
    ) -> App: ...
    def rotate_secret(self, app_id: int, secret: bytes, *, keep_until: datetime | None, now: datetime) -> App:
        """Put a new identity secret in force; the one before holds until then besides. Raises APP_NOT_FOUND."""
        ...

    def end_earlier_secret(self, app_id: int) -> App: ...


class Credentials(Protocol):
    """Integrations and their keys. At most one key of an integration is current; adding one retires the one before."""

    def ensure_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration: ...
    def integration(self, app_id: int, provider: str) -> Integration | None: ...
    def integrations(self, app_id: int) -> list[Integration]: ...
    def add_integration(
        self, app_id: int, provider: str, *, public_id: str, label: str, settings: Mapping[str, str], now: datetime
    ) -> Integration | None:
        """Store a further integration; None when the App has one of that provider with that label."""
        ...

    def find(self, app_id: int, public_id: str) -> Integration | None: ...
    def rename(self, integration_id: int, label: str) -> bool:
        """Give it another label; False when another one of its provider has that."""
        ...

    def remove(self, integration_id: int, *, reason: str) -> int:
        """Forget an integration and its keys; its devices expire with that reason, as nothing reaches them."""
        ...

    def set_integration(self, integration_id: int, *, settings: Mapping[str, str]) -> None: ...
    def pause(self, credential_id: int, origin: str, *, reason: str, now: datetime) -> None:
        """Send nothing more with this key to this origin; the integration then says that it is paused, and why.

        A key that was removed meanwhile pauses nothing.
        """
        ...

    def paused(self, app_id: int) -> set[tuple[int, str]]:
        """The (credential id, origin) pairs of an App that are paused."""
        ...

    def resume(self, integration_id: int) -> None:
        """End every pause of an integration's keys."""
        ...

    def add(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential: ...
    def replace(
        self, integration_id: int, *, fingerprint: str, secret: bytes, settings: Mapping[str, str], now: datetime
    ) -> Credential:
        """Store a key in the place of the integration's one key, with all devices of it; the first one is added."""
        ...

    def of_integration(self, integration_id: int) -> list[Credential]: ...
    def current(self, app_id: int, provider: str) -> Credential | None: ...
    def by_fingerprint(self, app_id: int, provider: str, fingerprint: str) -> Credential | None: ...
    def by_id(self, credential_id: int) -> Credential | None: ...
    def all(self, app_id: int, provider: str) -> list[Credential]: ...
    def set_status(self, credential_id: int, status: CredentialStatus) -> None: ...
    def set_settings(self, credential_id: int, settings: Mapping[str, str]) -> None: ...
    def unseen(self, integration_id: int, *, since: datetime) -> int:
        """Count the active devices of an integration that were last seen before that."""
        ...

    def usage(self, app_id: int, provider: str) -> dict[int, int]:
        """Count active subscriptions by the credential they were made with."""
        ...


class Users(Protocol):
    """People the Apps know."""

    def put(
        self,
        app_id: int,
        external_id: str,
        *,
        attributes: Mapping[str, Any] | None,
        locale: str | None,
        time_zone: str | None,
        now: datetime,
    ) -> tuple[User, bool]: ...
    def get(self, app_id: int, external_id: str) -> User | None: ...
    def page(self, app_id: int, *, after: int, limit: int, search: str = "") -> list[User]:
        """List newest first; each word of `search` begins one of the App's own id or of the attribute `name`."""
        ...

    def lookup(self, app_id: int, external_ids: Sequence[str]) -> dict[str, Named]:
        """Give those of these ids that are known, also those that only devices name; in no order."""
        ...

    def delete(self, app_id: int, external_id: str) -> bool: ...

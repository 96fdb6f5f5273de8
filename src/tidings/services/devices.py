"""Devices with apps: phones and desktops register their tokens, by themselves or through the App's server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from tidings.domain.app import App, Credential, CredentialStatus, Integration
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.lib.clock import Clock
from tidings.lib.egress import HostPolicy
from tidings.lib.ids import Ids
from tidings.providers import CHANNELS, REGISTRY, Provider, TakesCredentials, provider
from tidings.services.enrolment import Arrival, enrol
from tidings.services.identity import check_identity
from tidings.services.registration import Registered, Registration, new_from
from tidings.storage import Store, Transaction

PLACE = (
    *("provider", "token", "fid", "environment", "bundle_id", "integration"),
    *("kind", "push_magic"),
)
"""Fields of a registration that say where a device is, and to which integration it belongs."""


def place_of(fields: Mapping[str, object]) -> dict[str, object]:
    """Give what says where a device is."""
    return {name: value for name in PLACE if (value := fields.get(name)) is not None}


@runtime_checkable
class ServersRegister(Protocol):
    """A provider whose devices the App's own server alone registers: where one is says what we are to call."""

    only_servers_register: bool


class Devices:
    """Takes registrations of apps: `Registration.subscription` has `provider`, `token` and what else names a device."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        policy: HostPolicy,
        provider: Callable[[str], Provider] = provider,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._provider = provider

    async def register(self, app: App, registration: Registration, *, trusted: bool = False) -> Registered:
        """Store a device's registration or refresh it; see `enrolment.py` for what it may change.

        `trusted` is the App's own server. Raises DEVICE_TOKEN_INVALID, INTEGRATION_MISSING, INTEGRATION_UNCLEAR,
        SUBSCRIPTION_SECRET_REQUIRED and IDENTITY_INVALID; then nothing is stored.
        """
        name = str(registration.subscription.get("provider", ""))
        via = self._taker(name)
        if isinstance(via, ServersRegister) and not trusted:
            words = "Devices of this kind are registered by your server, at POST /api/v1/subscriptions."
            fault = FieldFault("provider", words)
            raise CatalogueError(ErrorCode.INVALID_REQUEST, f"provider: {words}", faults=(fault,))
        fields = await self._store.read(lambda tx: completed(tx, app.id, name, via, registration.subscription))
        address, origin = self._provider(name).address_from(fields, policy=self._policy)
        verified = self._verified(app, registration)
        secret, public_id, now = self._ids.secret(), self._ids.new("sub"), self._clock.now()

        def store(tx: Transaction) -> Registered:
            credential = credential_for(tx, app.id, name, via, fields)
            new = new_from(
                registration, app_id=app.id, provider=name, address=address, origin=origin, credential=credential
            )
            return enrol(tx, Arrival(registration, new, verified, now, public_id, secret, trusted))

        return await self._store.write(store)

    def _verified(self, app: App, registration: Registration) -> bool:
        if registration.user_id is None or registration.user_token is None:
            return False
        check_identity(app, registration.user_id, registration.user_token, now=self._clock.now())
        return True

    def _taker(self, name: str) -> TakesCredentials:
        found: object = self._provider(name) if name in CHANNELS and name in REGISTRY else None
        if not isinstance(found, TakesCredentials):
            raise CatalogueError(
                ErrorCode.INVALID_REQUEST,
                f"provider: There are no apps to register with {name[:32]!r}.",
                faults=(FieldFault("provider", "Name the service that the token is from."),),
            )
        return found


def completed(
    tx: Transaction, app_id: int, name: str, via: TakesCredentials, registration: Mapping[str, object]
) -> Mapping[str, object]:
    """Add the environment of the integration where a device does not say its own."""
    if "environment" in registration:
        return registration
    settings = [
        one.settings
        for one in tx.credentials.integrations(app_id)
        if one.provider == name
        and registration.get("integration") in (None, one.public_id)
        and via.serves(one.settings, registration)
    ]
    stated = {one["environment"] for one in settings if "environment" in one}
    return {**registration, "environment": stated.pop()} if len(stated) == 1 else registration


def integration_of(tx: Transaction, app_id: int, public_id: str) -> Integration:
    """Find an integration of an App. Raises NOT_FOUND."""
    found = tx.credentials.find(app_id, public_id)
    if found is None:
        raise CatalogueError(ErrorCode.NOT_FOUND, f"There is no integration {public_id[:64]!r}.")
    return found


def credential_for(
    tx: Transaction, app_id: int, name: str, via: TakesCredentials, registration: Mapping[str, Any]
) -> Credential:
    """Find the key of the integration that a device belongs to: the one it names, or the only one that fits.

    Raises INTEGRATION_MISSING, INTEGRATION_UNCLEAR.
    """
    named = registration.get("integration")
    there = [one for one in tx.credentials.integrations(app_id) if one.provider == name]
    if named is not None:
        there = [one for one in there if one.public_id == named]
    fitting = [one for one in there if via.serves(one.settings, registration)]
    keys = [
        key
        for one in fitting
        for key in tx.credentials.of_integration(one.id)
        if key.status is CredentialStatus.CURRENT
    ]
    if not keys:
        raise CatalogueError(
            ErrorCode.INTEGRATION_MISSING,
            f"The App has no integration of {name} that this device could belong to."
            if not there or named is None
            else f"The integration {str(named)[:64]!r} is for other devices.",
        )
    if len(keys) > 1:
        choices = ", ".join(f"{one.public_id} ({one.label})" for one in fitting)
        raise CatalogueError(ErrorCode.INTEGRATION_UNCLEAR, f"Name its `integration`: it could be any of {choices}.")
    return keys[0]

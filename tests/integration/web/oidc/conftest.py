"""An instance that may call an OpenID provider on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from tests.integration.web.instance import Names

from support.openid import Provider, running_provider
from tidings.bus import bus_from
from tidings.lib.clock import FixedClock
from tidings.lib.egress import AddressGuard, HostPolicy
from tidings.lib.fetch import Fetcher
from tidings.lib.sealed import KeyRing
from tidings.services.oidc import Oidc
from tidings.services.oidc_provider import Providers
from tidings.services.oidc_sign_in import OidcSignIn
from tidings.settings import Settings
from tidings.storage.open import open_store
from tidings.wiring import Container, assembled

HERE = HostPolicy(hosts=frozenset(), suffixes=(), allow_insecure=True)


@pytest.fixture
async def provider(authority: trustme.CA, clock: FixedClock) -> AsyncIterator[Provider]:
    async with running_provider(authority) as made:
        made.now = lambda: clock.now().timestamp()
        yield made


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def container(tmp_path: Path, clock: FixedClock, names: Names, authority: trustme.CA) -> AsyncIterator[Container]:
    """An instance that trusts the test's authority and may call this machine."""
    store = open_store(database_url=None, folder=tmp_path, ring=KeyRing.generate())
    settings = Settings(data=tmp_path, public_url="https://push.example.com")
    made = assembled(settings, store=store, bus=bus_from(None), clock=clock, resolve=names)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    fetcher = Fetcher(guard=AddressGuard(allow_loopback=True), policy=HERE, ca_file=str(tmp_path / "ca.pem"))
    providers = Providers(fetcher=fetcher, clock=clock)
    oidc = Oidc(store=store, clock=clock, providers=providers, base_url=settings.base_url)
    rounds = OidcSignIn(
        store=store,
        clock=clock,
        ids=made.ids,
        sessions=made.accounts.sessions,
        providers=providers,
        base_url=settings.base_url,
    )
    await made.apps.ensure_first()
    yield replace(made, accounts=replace(made.accounts, oidc=oidc, oidc_sign_in=rounds))
    await store.close()

"""OpenID providers and whom they vouch for: rows of `oidc_providers` and `oidc_identities`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from tidings.domain.member import Member, OidcProvider
from tidings.domain.permission import Role
from tidings.storage.members import member_from
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.accounts import members, oidc_identities, oidc_providers

o = oidc_providers.c
i = oidc_identities.c


class SqlOidc:
    """Implements `storage.ports.accounts.Oidc`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run = scope.connection.execute

    def put(self, provider: OidcProvider) -> None:
        """Store a provider, in place of one of the same id; the client's secret is sealed."""
        sealed = self._scope.sealer.seal(provider.client_secret.encode(), context=_context(provider.id))
        values = {
            "id": provider.id,
            "name": provider.name,
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "client_secret": sealed,
            "domains": list(provider.domains),
            "create_role": provider.create.value if provider.create else None,
            "app_id": provider.app_id,
            "created_at": provider.created_at,
        }
        changed = tuple(name for name in values if name not in ("id", "created_at"))
        self._run(self._scope.dialect.upsert(oidc_providers, key=("id",), update=changed), values)

    def get(self, provider_id: str) -> OidcProvider | None:
        """Find by id."""
        row = self._run(select(oidc_providers).where(o.id == provider_id)).first()
        return self._provider(row) if row else None

    def all(self) -> list[OidcProvider]:
        """List all, by name."""
        return [self._provider(row) for row in self._run(select(oidc_providers).order_by(o.name, o.id))]

    def remove(self, provider_id: str) -> bool:
        """Forget a provider; whom it vouched for stays, and can come back with it."""
        return self._run(delete(oidc_providers).where(o.id == provider_id)).rowcount == 1

    def member(self, issuer: str, subject: str) -> Member | None:
        """Give the member whom an issuer calls so."""
        query = select(members).join(oidc_identities, i.member_id == members.c.id)
        row = self._run(query.where(i.issuer == issuer, i.subject == subject)).first()
        return member_from(row) if row else None

    def of_member(self, member_id: int) -> list[str]:
        """Give the ids of the providers that vouch for a member, by id."""
        query = select(o.id).distinct().join(oidc_identities, i.issuer == o.issuer).where(i.member_id == member_id)
        return list(self._run(query.order_by(o.id)).scalars())

    def link(self, issuer: str, subject: str, member_id: int, *, now: datetime) -> None:
        """Remember whom an issuer calls so."""
        self._run(insert(oidc_identities).values(issuer=issuer, subject=subject, member_id=member_id, created_at=now))

    def unlink(self, issuer: str, member_id: int) -> int:
        """Forget whom an issuer calls a member; give how many names those were."""
        return self._run(delete(oidc_identities).where(i.issuer == issuer, i.member_id == member_id)).rowcount

    def _provider(self, row: AnyRow) -> OidcProvider:
        return OidcProvider(
            id=row.id,
            name=row.name,
            issuer=row.issuer,
            client_id=row.client_id,
            client_secret=self._scope.sealer.open(row.client_secret, context=_context(row.id)).decode(),
            domains=tuple(row.domains),
            create=Role(row.create_role) if row.create_role else None,
            app_id=row.app_id,
            created_at=row.created_at,
        )


def _context(provider_id: str) -> str:
    return f"oidc_providers|client_secret|{provider_id}"

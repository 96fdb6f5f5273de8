"""APNs as a provider: device tokens in, requests out, answers into outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from tidings.domain.app import Credential
from tidings.domain.message import Rendered
from tidings.domain.outcome import Outcome, Refused
from tidings.domain.showing import Size
from tidings.domain.subscription import Address
from tidings.lib.egress import HostPolicy
from tidings.lib.exchange import Answer, ClientIdentity, Request
from tidings.providers import Channel, Draft, Envelope, Finding, NewCredential
from tidings.providers.apns import channels
from tidings.providers.apns.address import Place, address_from, place_from
from tidings.providers.apns.credential import credential_from, is_certificate
from tidings.providers.apns.findings import DUMMY, ENVELOPE, PROBE, environments_of, finding_from, warnings_of
from tidings.providers.apns.message import draft_from, plan_from, sizes_of
from tidings.providers.apns.outcomes import Reason
from tidings.providers.apns.reading import outcome_from
from tidings.providers.apns.settings import RULES, Environment, Kind, environment_from
from tidings.providers.apns.showing import SHOWS
from tidings.providers.apns.token import ProviderTokens
from tidings.providers.apns.way import Way, request_from, way_of

_SERVICES = {Environment.PRODUCTION.origin: "apns", Environment.SANDBOX.origin: "apns_sandbox"}


class Apns:
    """The Provider for apps on Apple's systems. It remembers provider tokens, and nothing else."""

    name = "apns"
    services = frozenset({*_SERVICES.values(), "other"})
    shows = SHOWS

    def __init__(self) -> None:
        self._tokens = ProviderTokens()

    def service(self, origin: str) -> str:
        """Name the environment at an origin."""
        return _SERVICES.get(origin, "other")

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Take a device token (or a broadcast channel) with its environment; give where it is sent to.

        Raises DEVICE_TOKEN_INVALID or INVALID_REQUEST.
        """
        address, environment = address_from(registration)
        return address, environment.origin

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Write the payload that recipients share; Refused if it has more than 4096 bytes (5120 for a call)."""
        return draft_from(rendered)

    def sizes(self, rendered: Rendered) -> tuple[Size, ...]:
        """Measure the payload that recipients share, with their ids."""
        return sizes_of(rendered)

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """Both environments take the same."""
        return ()

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Address one message; Refused if the token was handed out for another kind of push."""
        return self.requests(draft, [(to, envelope)], credential=credential, now=now)[0]

    def requests(
        self, draft: Draft, recipients: Sequence[tuple[Address, Envelope]], *, credential: Credential, now: float
    ) -> list[Request | Refused]:
        """Address the messages of many, in their order: what those of one kind and place share is written once."""
        ways: dict[tuple[bytes, int], Way | Refused] = {}
        made: list[Request | Refused] = []
        for to, envelope in recipients:
            kind = (to.keys, envelope.ttl)
            way = ways.get(kind)
            if way is None:
                way = ways[kind] = self._way(draft, place_from(to.keys), credential, ttl=envelope.ttl, now=now)
            made.append(way if isinstance(way, Refused) else request_from(way, draft, to, envelope))
        return made

    def _way(self, draft: Draft, place: Place, credential: Credential, *, ttl: int, now: float) -> Way | Refused:
        plan = plan_from(draft.parts[0])
        if plan.push_type not in place.kind.takes:
            return Refused(Reason.WRONG_KIND)
        by_certificate = is_certificate(credential)
        if by_certificate and RULES[plan.push_type].key_only:
            return Refused(Reason.WANTS_KEY)
        return way_of(
            draft,
            plan,
            place,
            bundle_id=credential.settings["bundle_id"],
            expires=int(now) + ttl,
            authorization=None if by_certificate else self._tokens.value(credential, now=now),
            identity=_identity(credential.fingerprint, credential.secret, by_certificate),
        )

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Look the answer up in the table of Apple's reasons."""
        return outcome_from(answer, now=now)

    def credential_from(self, fields: Mapping[str, str]) -> NewCredential:
        """Take a .p8 key or a .p12 certificate; raises CREDENTIALS_INVALID saying what is wrong with it."""
        return credential_from(fields)

    def serves(self, settings: Mapping[str, str], registration: Mapping[str, object]) -> bool:
        """Say whether an integration is for the device's app, and for its environment where a certificate has one."""
        bundle_id, environment = registration.get("bundle_id"), registration.get("environment")
        if bundle_id is not None and bundle_id != settings.get("bundle_id"):
            return False
        able = settings.get("environments", "").split()
        return environment is None or not able or environment_from(environment) in able

    def warnings(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Say what goes wrong most often, and when a certificate ends."""
        return warnings_of(settings)

    def probes(self, credential: Credential, *, now: float) -> tuple[Request, ...]:
        """Push to a token that is none, in every environment that the credentials may be for."""
        draft = draft_from(PROBE)
        assert isinstance(draft, Draft)
        places = [Address(DUMMY, Place(one, Kind.APP).keys) for one in environments_of(credential)]
        requests = [self.request(draft, to, ENVELOPE, credential=credential, now=now) for to in places]
        return tuple(one for one in requests if isinstance(one, Request))

    def new_channel_request(self, credential: Credential, *, environment: str, keeps: bool, now: float) -> Request:
        """Ask for a new broadcast channel. Raises CREDENTIALS_INVALID for a certificate."""
        channels.refuse_certificate(credential)
        authorization = self._tokens.value(credential, now=now)
        return channels.request_of(credential, environment_from(environment), authorization, keeps=keeps)

    def new_channel(self, answer: Answer) -> str | Finding:
        """Read its id."""
        return channels.id_from(answer)

    def end_channel_request(self, credential: Credential, channel: Channel, *, now: float) -> Request:
        """Ask for the end of a channel. Raises CREDENTIALS_INVALID for a certificate."""
        channels.refuse_certificate(credential)
        authorization = self._tokens.value(credential, now=now)
        return channels.request_of(credential, Environment(channel.environment), authorization, ends=channel.id)

    def channel_ended(self, answer: Answer) -> Finding | None:
        """Read the answer to that."""
        return channels.ended(answer)

    def channel_address(self, channel: Channel) -> tuple[Address, str]:
        """Give where a message to a channel goes."""
        return channels.address_of(channel)

    def channel_at(self, address: Address) -> Channel:
        """Read that."""
        return channels.channel_at(address)

    def finding(self, credential: Credential, request: Request, answer: Answer, *, now: float) -> Finding:
        """Read the answer to one: that the token is bad means that everything else is good."""
        origin = request.url.partition("/3/")[0]
        environment = next(one for one in Environment if one.origin == origin)
        return finding_from(credential, environment, answer, now=now)


@lru_cache(maxsize=64)
def _identity(name: str, secret: bytes, by_certificate: bool) -> ClientIdentity:
    """Part the connections of different keys: Apple refuses a second one (UnrelatedKeyIdInToken, Forbidden)."""
    if not by_certificate:
        return ClientIdentity(name, b"", b"")
    key, mark, certificates = secret.partition(b"-----BEGIN CERTIFICATE")
    return ClientIdentity(name, mark + certificates, key)

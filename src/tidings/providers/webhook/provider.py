"""Webhook as a provider: a URL for each device, signed JSON out, answers into outcomes."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.message import Rendered
from tidings.domain.outcome import Accepted, Misconfigured, Outcome, Refused
from tidings.domain.showing import Size
from tidings.domain.subscription import Address
from tidings.lib.egress import ForbiddenUrl, HostPolicy
from tidings.lib.exchange import Answer, Reply, Request
from tidings.providers import Draft, Envelope, Finding, NewCredential
from tidings.providers.webhook.message import SHOWS, body_from, draft_from, headers_from, sizes_of
from tidings.providers.webhook.outcomes import outcome_from
from tidings.providers.webhook.settings import credential_from, receiver_from


class Webhook:
    """The Provider for servers of one's own. It remembers nothing."""

    name = "webhook"
    services = frozenset({"webhook"})
    shows = SHOWS
    only_servers_register = True
    """Else any visitor could have us write to every address of the receiver's host."""

    def service(self, origin: str) -> str:
        """Name the push service at an origin."""
        return "webhook"

    def address_from(self, registration: Mapping[str, object], *, policy: HostPolicy) -> tuple[Address, str]:
        """Take `token`, the URL at which the receiver tells its devices apart; raises DEVICE_TOKEN_INVALID."""
        url = registration.get("token")
        if not isinstance(url, str):
            raise _invalid("There is no URL.")
        try:
            return Address(url), receiver_from(url, insecure=policy.allow_insecure)
        except ForbiddenUrl as error:
            raise _invalid(error.detail) from None

    def draft(self, rendered: Rendered) -> Draft | Refused:
        """Write the message that recipients share; Refused beyond 4096 bytes."""
        return draft_from(rendered)

    def sizes(self, rendered: Rendered) -> tuple[Size, ...]:
        """Measure the body."""
        return sizes_of(rendered)

    def too_large_for(self, draft: Draft) -> tuple[tuple[str, int], ...]:
        """There is one kind of receiver."""
        return ()

    def request(
        self, draft: Draft, to: Address, envelope: Envelope, *, credential: Credential, now: float
    ) -> Request | Refused:
        """Sign one message."""
        body = body_from(draft, envelope)
        return Request(to.target, headers_from(credential.secret, envelope.delivery_id, body, now=now), body)

    def outcome(self, to: Address, answer: Answer, *, now: float) -> Outcome:
        """Say by table what an answer means."""
        return outcome_from(answer, now=now)

    def credential_from(self, fields: Mapping[str, str]) -> NewCredential:
        """Take `url` and `secret`; raises CREDENTIALS_INVALID."""
        return credential_from(fields)

    def serves(self, settings: Mapping[str, str], registration: Mapping[str, object]) -> bool:
        """A device belongs to the integration whose receiver has the same origin: none can be led elsewhere."""
        return str(registration.get("token", "")).startswith(f"{settings.get('origin')}/")

    def warnings(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """There is nothing to warn of."""
        return ()

    def probes(self, credential: Credential, *, now: float) -> tuple[Request, ...]:
        """Send a signed test to the receiver."""
        body = b'{"type":"test"}'
        return (Request(credential.settings["url"], headers_from(credential.secret, "test", body, now=now), body),)

    def finding(self, credential: Credential, request: Request, answer: Answer, *, now: float) -> Finding:
        """Read its answer."""
        outcome = outcome_from(answer, now=now)
        said = f"HTTP {answer.status}" if isinstance(answer, Reply) else f"nothing ({answer.detail})"
        if isinstance(outcome, Accepted):
            return Finding("receiver", ok=True, detail=f"The receiver took a signed test: {said}.")
        mend = "See that it runs at this URL and answers 2xx to a POST."
        if isinstance(outcome, Misconfigured):
            mend = "Its secret is another one, or its clock differs by more than five minutes."
        return Finding("receiver", ok=False, detail=f"The receiver answered {said}.", mend=mend)


def _invalid(why: str) -> CatalogueError:
    return CatalogueError(ErrorCode.DEVICE_TOKEN_INVALID, why, faults=(FieldFault("token", why),))

"""Testing a VAPID key without a browser: its own signature, its contact, and what each push service says to it."""

from __future__ import annotations

from tidings.domain.app import Credential
from tidings.domain.errors import CatalogueError
from tidings.domain.outcome import Misconfigured, Outcome
from tidings.lib.crypto import (
    base64url_from,
    es256_signature,
    es256_verifies,
    point_from,
    private_key_from_scalar,
)
from tidings.lib.exchange import Answer, NetworkFailure
from tidings.providers import UNREACHED, Finding
from tidings.providers.webpush.outcomes import Reason
from tidings.providers.webpush.settings import Family, contact_checked

PAIR, CONTACT = "pair", "contact"
"""The looks that ask nobody."""

NOBODY = base64url_from(b"no device of anybody")
PLACES = {
    Family.GOOGLE: f"https://fcm.googleapis.com/fcm/send/{NOBODY}",
    Family.MOZILLA: f"https://updates.push.services.mozilla.com/wpush/v2/{NOBODY}",
    Family.APPLE: f"https://web.push.apple.com/{NOBODY}",
    Family.MICROSOFT: f"https://wns2-par02p.notify.windows.com/w/?token={NOBODY}",
}
"""An address at each push service that belongs to no browser: it is refused, and nothing is delivered."""

_BROWSERS = {
    Family.GOOGLE: "Chrome and most other browsers",
    Family.MOZILLA: "Firefox",
    Family.APPLE: "Safari, iPhone and iPad",
    Family.MICROSOFT: "Edge",
}
_SIGNED = {
    Reason.JWT_AUDIENCE: "the address that the signature is for",
    Reason.JWT_EXPIRY: "how long the signature holds",
    Reason.JWT_REFUSED: "the signature or its contact address",
    Reason.PUBLIC_KEY_REFUSED: "the public key",
}
"""What is said of the key and not of the address, which is made up and may be refused in any words."""


def own_findings_of(credential: Credential) -> tuple[Finding, ...]:
    """Say whether the two keys belong together and sign, and whether Apple would take the contact."""
    return _pair(credential), _contact(credential.settings.get("subject", ""))


def finding_from(family: Family, answer: Answer, outcome: Outcome) -> Finding:
    """Say whether a push service was reached, and whether it has anything against the key."""
    host, browsers = PLACES[family].split("/")[2], _BROWSERS[family]
    if isinstance(answer, NetworkFailure):
        why = UNREACHED[answer.kind]
        return Finding(
            family.value,
            ok=False,
            detail=f"{host} was not reached, so nothing gets to {browsers}. {why}",
            mend=f"Let this server reach {host} on port 443; `tidings doctor` shows what is in the way.",
        )
    if isinstance(outcome, Misconfigured) and (what := _SIGNED.get(Reason(outcome.reason))):
        return Finding(
            family.value,
            ok=False,
            detail=f"{host} refuses {what}.",
            mend="Set this server's clock, check the contact address, then test again; if it stays, rotate the key.",
        )
    return Finding(family.value, ok=True, detail=f"{host} answers, and has nothing against the key ({browsers}).")


def _pair(credential: Credential) -> Finding:
    key = private_key_from_scalar(credential.secret)
    message = b"Tidings signs this to see that the pair works"
    if base64url_from(point_from(key)) == credential.fingerprint and es256_verifies(
        key.public_key(), es256_signature(key, message), message
    ):
        return Finding(PAIR, ok=True, detail="The two keys belong together, and sign.")
    return Finding(
        PAIR,
        ok=False,
        detail="The private key does not belong to the public key.",
        mend="Rotate the key; subscriptions stay, and each device moves to the new one on its next visit.",
    )


def _contact(subject: str) -> Finding:
    try:
        contact = contact_checked(subject)
    except CatalogueError as fault:
        return Finding(CONTACT, ok=False, detail=fault.detail, mend="Enter a contact email that people can write to.")
    return Finding(CONTACT, ok=True, detail=f"Push services can write to {contact.removeprefix('mailto:')}.")

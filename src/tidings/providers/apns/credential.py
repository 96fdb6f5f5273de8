"""Keys and certificates as they are uploaded: checked, tried, and turned into what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from tidings.domain.app import Credential
from tidings.lib.crypto import (
    Malformed,
    PrivateKey,
    bytes_from_base64,
    es256_signature,
    es256_verifies,
    point_from,
    private_key_from_text,
    scalar_from,
)
from tidings.providers import NewCredential
from tidings.providers.apns.certificate import LARGEST, PushCertificate, certificate_from
from tidings.providers.apns.settings import (
    Environment,
    bundle_id_from,
    environment_from,
    identifier_from,
    unusable,
    without_suffix,
)

KEY, CERTIFICATE = "key", "certificate"
"""The two ways to say who is sending."""

_LARGEST_KEY = 8192

_SMALLEST_KEY = 80
"""Characters of the shortest PKCS#8 key in base64, about: a bare number is read as a key as well."""

_MESSAGE = b"Tidings signs this to see that the key works"


def credential_from(fields: Mapping[str, str]) -> NewCredential:
    """Take `key` (the text of a .p8), or `certificate` (a .p12 in base64) with its `password`.

    A key wants `key_id`, `team_id` and `bundle_id` too; `environment`, where devices are that do not say it
    themselves, is production. The account that devices belong to is the app.
    Raises CREDENTIALS_INVALID or INVALID_REQUEST, with the field that is wrong.
    """
    if fields.get(CERTIFICATE):
        return _with_certificate(fields)
    return _with_key(fields.get(KEY, ""), fields)


def is_certificate(credential: Credential) -> bool:
    """Tell whether a credential is shown in TLS rather than in a header."""
    return credential.settings.get("auth") == CERTIFICATE


def expiry_of(credential: Credential) -> datetime | None:
    """Give when a certificate ends; a key never does."""
    stated = credential.settings.get("expires_at")
    return datetime.fromisoformat(stated) if stated else None


def _with_key(text: str, settings: Mapping[str, str]) -> NewCredential:
    if not text.strip():
        raise unusable(KEY, "Give the text of the .p8 file, from `-----BEGIN PRIVATE KEY-----` on, or a .p12.")
    if len(text) > _LARGEST_KEY:
        raise unusable(KEY, f"A .p8 file has about 260 characters; {_LARGEST_KEY} are the most that is read.")
    if "CERTIFICATE" in text and "PRIVATE KEY" not in text:
        raise unusable(KEY, "This is a certificate. The key comes as AuthKey_<Key ID>.p8, and can be loaded only once.")
    try:
        key = private_key_from_text(text)
    except Malformed as error:
        raise unusable(KEY, str(error)) from None
    if len("".join(text.split())) < _SMALLEST_KEY:
        raise unusable(
            KEY, "This is a bare number. Give the text of the .p8 file, from `-----BEGIN PRIVATE KEY-----` on."
        )
    if not es256_verifies(key.public_key(), es256_signature(key, _MESSAGE), _MESSAGE):
        raise unusable(KEY, "The key's own signature does not verify; make another one.")
    key_id = identifier_from(settings.get("key_id", ""), field="key_id", name="Key ID")
    team_id = identifier_from(settings.get("team_id", ""), field="team_id", name="Team ID")
    if key_id == team_id:
        raise unusable("team_id", "Key ID and Team ID are the same; the Team ID is under Membership details.")
    bundle_id = bundle_id_from(settings.get("bundle_id", ""))
    if bundle_id.startswith(f"{team_id}."):
        bare = bundle_id.removeprefix(f"{team_id}.")
        raise unusable("bundle_id", f"Leave the Team ID in front of it out: give `{bare}`.")
    kept = {
        "auth": KEY,
        "key_id": key_id,
        "team_id": team_id,
        "bundle_id": bundle_id,
        "environment": environment_from(settings.get("environment") or Environment.PRODUCTION),
    }
    return NewCredential(f"{team_id}.{key_id}.{_thumbprint(key)}", scalar_from(key), kept, account=bundle_id)


def _with_certificate(fields: Mapping[str, str]) -> NewCredential:
    if len(fields[CERTIFICATE]) > LARGEST * 4 // 3 + 4:
        raise unusable(CERTIFICATE, f"A push certificate is smaller than {LARGEST // 1024} KiB.")
    try:
        data = bytes_from_base64("".join(fields[CERTIFICATE].split()))
    except Malformed:
        raise unusable(CERTIFICATE, "Send the .p12 file in base64.") from None
    found = certificate_from(data, password=fields.get("password", ""))
    bundle_id = _bundle_id(found, fields.get("bundle_id", ""))
    environment = environment_from(fields.get("environment") or _usual(found))
    if environment not in found.environments:
        raise unusable("environment", f"The certificate is for {environment.other} alone; choose that, or nothing.")
    kept = {
        "auth": CERTIFICATE,
        "bundle_id": bundle_id,
        "environment": environment,
        "environments": " ".join(sorted(found.environments)),
        "topics": " ".join(found.topics),
        "subject": found.subject,
        "starts_at": found.starts_at.astimezone(UTC).isoformat(),
        "expires_at": found.expires_at.astimezone(UTC).isoformat(),
    }
    return NewCredential(found.fingerprint, found.pem, kept, account=bundle_id)


def _bundle_id(found: PushCertificate, stated: str) -> str:
    able = [without_suffix(topic) for topic in found.topics]
    if not stated.strip():
        return able[0]
    bundle_id = bundle_id_from(stated)
    if bundle_id not in able:
        raise unusable(
            "bundle_id", f"The certificate is for `{able[0]}`, not for `{bundle_id}`; leave the field empty."
        )
    return bundle_id


def _usual(found: PushCertificate) -> Environment:
    return Environment.PRODUCTION if Environment.PRODUCTION in found.environments else Environment.SANDBOX


def _thumbprint(key: PrivateKey) -> str:
    """Tell keys apart by their public halves: somebody may have typed the wrong Key ID."""
    return hashlib.sha256(point_from(key)).hexdigest()[:16]

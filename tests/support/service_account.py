"""A service account's file, as Google Cloud hands it out, with a key of our own."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROJECT = "my-app-1a2b3"


@cache
def pem(which: int = 0) -> str:
    """Make a private key; each `which` has one."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account_file(project: str = PROJECT, *, which: int = 0, **changes: Any) -> str:
    """Write the file; a change to None takes a member away."""
    members = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": f"{which:040x}",
        "private_key": pem(which),
        "client_email": f"push@{project}.iam.gserviceaccount.com",
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/push%40{project}",
        "universe_domain": "googleapis.com",
        **changes,
    }
    return json.dumps({name: value for name, value in members.items() if value is not None}, indent=2)

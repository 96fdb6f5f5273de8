"""The simulator's own certificate authority: made anew at each start, so no private key is ever kept."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import trustme


def server_context(folder: Path, *, origins: tuple[str, ...]) -> tuple[ssl.SSLContext, Path]:
    """Make a TLS context for loopback and the hosts of `origins`; write the authority to `<folder>/ca.pem`.

    The context offers h2 and http/1.1 by ALPN. Gives it with the path of the certificate that clients must trust.
    """
    hosts = {urlsplit(origin).hostname or "" for origin in origins} - {""}
    authority = trustme.CA(organization_name="Tidings simulator")
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1", *sorted(hosts - {"localhost", "127.0.0.1", "::1"}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    leaf.configure_cert(context)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path.resolve()

"""The sink: an nginx on loopback that answers 201 over TLS and HTTP/2, so that we measure ourselves and not it."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import trustme

from tidings.bench.processes import children_of, cpu_seconds

PATIENCE = 60.0
"""Seconds for nginx to come up; a loaded machine needs some."""

_CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  log_format arrival '$msec $request_uri';
  client_body_temp_path {folder}/body;
  client_body_buffer_size 16k;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  split_clients $request_id $fault {{ 1% 503; 1% 429; 0.1% 410; 0.1% 413; 0.01% 444; * none; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/chain.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    location = /status {{ stub_status; }}
    location /push/ {{ return 201; }}
    location /3/device/ {{ add_header apns-id $http_apns_id; return 200; }}
    location /v1/ {{ default_type application/json; return 200 '{{"name":"projects/p/messages/1"}}'; }}
    location /timed/ {{ access_log {folder}/arrivals.log arrival; return 201; }}
    location /faulty/ {{
      if ($fault = 503) {{ return 503; }}
      if ($fault = 429) {{ add_header Retry-After 1 always; return 429; }}
      if ($fault = 410) {{ return 410; }}
      if ($fault = 413) {{ return 413; }}
      if ($fault = 444) {{ return 444; }}
      return 201;
    }}
  }}
}}
"""


class SinkMissing(Exception):
    """There is no nginx, or it does not start; the message says which."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink: its origin, the certificate that verifies it, and what it logged."""

    origin: str
    ca_file: Path
    arrivals: Path
    pid: int

    def cpu(self) -> float:
        """Give the processor time it has used, in seconds."""
        return cpu_seconds([self.pid, *children_of(self.pid)])

    def requests(self) -> int:
        """Count the requests it has taken, this question not among them."""
        return requests_taken(self.origin, self.ca_file) - 1


def requests_taken(origin: str, ca_file: Path) -> int:
    """Ask the sink how many requests it has taken, this one among them."""
    context = ssl.create_default_context(cafile=str(ca_file))
    with urlopen(f"{origin}/status", context=context, timeout=20) as answer:  # noqa: S310 - our own sink
        return int(answer.read().splitlines()[2].split()[2])


@contextmanager
def running_sink(folder: Path) -> Iterator[Sink]:
    """Run nginx in that folder while the block runs; raises SinkMissing where it cannot be had."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        raise SinkMissing("nginx is not installed; it takes what is sent, over TLS and HTTP/2 (apt: nginx-light)")
    port = _free_port()
    ca_file = _certificates(folder)
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its own user could not read the folder
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, user=user))
    process = subprocess.Popen(  # noqa: S603 - the program found above, our own configuration
        [nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        sink = Sink(f"https://localhost:{port}", ca_file, folder / "arrivals.log", process.pid)
        _wait_for(sink, process, folder)
        yield sink
    finally:
        process.terminate()
        process.wait(20)


def _certificates(folder: Path) -> Path:
    authority = trustme.CA(organization_name="Tidings bench")
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    for number, certificate in enumerate(leaf.cert_chain_pems):
        certificate.write_to_path(str(folder / "chain.pem"), append=number > 0)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder / "ca.pem"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(sink: Sink, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            requests_taken(sink.origin, sink.ca_file)
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = folder / "error.log"
                said = log.read_text().strip() if log.exists() else ""
                raise SinkMissing(f"nginx did not start: {said or error}") from None
            time.sleep(0.05)
        else:
            return

"""Servers that nobody here wrote: nginx, nghttpd, Node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.http2 import NewClient, free_port
from tidings.lib.exchange import Reply, Request

HEADERS = ("TTL: 60", "Content-Type: application/octet-stream", "Authorization: vapid t=a.b.c, k=d")
Run = Callable[..., int]


def asked(port: int, path: str = "/ok", body: bytes = b"sealed") -> Request:
    return Request(f"https://localhost:{port}{path}", HEADERS, body)


def replies(client: object, requests: list[Request]) -> list[Reply]:
    answers = dict(client.exchange(enumerate(requests)))  # type: ignore[attr-defined]
    assert [answer for answer in answers.values() if not isinstance(answer, Reply)] == []
    return [answers[number] for number in range(len(requests))]


def nghttpd(run: Run, files: Path, *options: str) -> int:
    (files / "ok").write_bytes(b"stored")
    (files / "big").write_bytes(b"b" * 300_000)
    port = free_port()
    common = ("-d", str(files), *options, str(port), str(files / "key.pem"), str(files / "chain.pem"))
    return run("nghttpd", *common, port=port)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--max-concurrent-streams=1",),
        ("--max-concurrent-streams=7", "--padding=200"),
        ("--trailer", "x-checked: yes", "--header-table-size=0"),
        ("--window-bits=4", "--connection-window-bits=16", "--encoder-header-table-size=4096"),
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_nghttpd_gets_and_answers_everything_whatever_it_allows(
    run: Run, files: Path, new_client: NewClient, options: tuple[str, ...]
) -> None:
    port = nghttpd(run, files, *options)
    with new_client() as client:
        for reply in replies(client, [asked(port, body=b"x" * 500) for _ in range(300)]):
            assert (reply.status, reply.body) == (200, b"stored")
            assert reply.headers["content-length"] == "6"
            assert "x-checked" not in reply.headers
        [big, missing] = replies(client, [asked(port, "/big"), asked(port, "/nothing")])
        assert (big.status, big.body) == (200, b"b" * 8192)
        assert missing.status == 404


def test_bodies_go_through_narrow_windows_unharmed(run: Run, files: Path, new_client: NewClient) -> None:
    port = nghttpd(run, files, "--echo-upload", "--window-bits=10")
    body = bytes(range(256)) * 32
    with new_client() as client:
        assert {reply.body for reply in replies(client, [asked(port, "/", body) for _ in range(30)])} == {body}


def nginx(run: Run, files: Path, folder: Path, extra: str = "") -> int:
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; user root;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl http2; {extra}
    ssl_certificate {files}/chain.pem; ssl_certificate_key {files}/key.pem;
    location / {{ return 201; }}
  }}
}}""")
    return run("nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf", port=port)


def test_nginx_that_ends_its_connections_every_few_requests_loses_none(
    run: Run, files: Path, tmp_path: Path, new_client: NewClient
) -> None:
    port = nginx(run, files, tmp_path, "keepalive_requests 20;")
    with new_client(max_host_connections=2) as client:
        assert [reply.status for reply in replies(client, [asked(port) for _ in range(1000)])] == [201] * 1000
    # What a GOAWAY left out was not worked on, so each is there once.
    assert (tmp_path / "access.log").read_text().count("POST /ok") == 1000


def test_nginx_that_closes_idle_connections_is_connected_to_again(
    run: Run, files: Path, tmp_path: Path, new_client: NewClient
) -> None:
    port = nginx(run, files, tmp_path, "keepalive_timeout 1s;")
    with new_client() as client:
        for _ in range(2):
            assert [reply.status for reply in replies(client, [asked(port) for _ in range(5)])] == [201] * 5
            [link] = client._http2._links
            closed = link._socket.dup()
            closed.settimeout(20)
            while closed.recv(4096):  # until nginx has closed it, unseen by the client
                pass
            closed.close()
        assert [reply.status for reply in replies(client, [asked(port)])] == [201]


NODE = """
const http2 = require('http2'), fs = require('fs');
const [port, folder] = process.argv.slice(2);
const server = http2.createSecureServer({
  key: fs.readFileSync(folder + '/key.pem'), cert: fs.readFileSync(folder + '/chain.pem'),
  settings: {maxConcurrentStreams: 3, initialWindowSize: 100},
});
server.on('stream', (stream, headers) => {
  let size = 0;
  stream.on('error', () => {});
  stream.on('data', piece => { size += piece.length; });
  stream.on('end', () => {
    if (headers[':path'] === '/early') stream.additionalHeaders({':status': 103, link: '</x>'});
    if (headers[':path'] === '/goaway') stream.session.goaway(0);
    stream.respond({':status': 201, 'x-size': size, 'x-ttl': headers.ttl}, {waitForTrailers: true});
    stream.on('wantTrailers', () => stream.sendTrailers({'x-late': 'yes'}));
    stream.end('node');
  });
});
server.listen(Number(port), '127.0.0.1');
"""


@pytest.mark.node
def test_node_with_early_answers_trailers_and_goodbyes(
    run: Run, files: Path, tmp_path: Path, new_client: NewClient
) -> None:
    (tmp_path / "server.js").write_text(NODE)
    port = free_port()
    run("node", str(tmp_path / "server.js"), str(port), str(files), port=port)
    paths = ["/ok", "/early", "/goaway", "/ok"] * 20
    with new_client() as client:
        for reply in replies(client, [asked(port, path, b"x" * 999) for path in paths]):
            assert (reply.status, reply.body) == (201, b"node")
            assert (reply.headers["x-size"], reply.headers["x-ttl"]) == ("999", "60")
            assert "x-late" not in reply.headers
            assert "link" not in reply.headers

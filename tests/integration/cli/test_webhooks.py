"""`tidings webhook`: added, found, tried, shown with its log, sent again, removed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


class Receiver(BaseHTTPRequestHandler):
    """Answers 204, or 500 under `/broken`."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if self.path == "/broken" else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_is_added_tried_shown_sent_again_and_removed(
    run: Run, told: Callable[..., Any], receiver: str
) -> None:
    told("vapid", "generate", "--subject", "mailto:push@example.com")
    assert "No webhook exists yet" in run("webhook", "list").stdout
    made = told("webhook", "add", f"{receiver}/hook", "receipt.clicked", "delivery.failed", "--description", "Our CRM")
    assert made["secret"].startswith("whsec_")
    assert set(made["events"]) == {"receipt.clicked", "delivery.failed"}
    assert "Our CRM" in run("webhook", "show", made["id"]).stdout
    assert "It was told nothing yet." in run("webhook", "show", "Our CRM").stdout
    assert "answered 204" in run("webhook", "test", f"{receiver}/hook").stdout
    shown = told("webhook", "show", "Our CRM")
    assert [(one["status"], one["test"]) for one in shown["messages"]] == [("delivered", True)]
    assert told("webhook", "show", "Our CRM", "--status", "failed")["messages"] == []
    assert told("webhook", "replay", made["id"], "--since", "2026-01-01T00:00:00Z", "--delivered") == {"messages": 0}
    assert told("webhook", "list")["data"][0]["id"] == made["id"]
    assert told("webhook", "remove", "Our CRM", "--yes") == {"id": made["id"], "removed": True}
    assert told("webhook", "list") == {"data": []}


def test_what_is_wrong_is_said(run: Run, told: Callable[..., Any], receiver: str) -> None:
    told("vapid", "generate", "--subject", "mailto:push@example.com")
    for number in range(2):
        made = told("webhook", "add", f"{receiver}/broken", "receipt.clicked", "--description", f"No. {number}")
    assert "2 webhooks are" in run("webhook", "show", f"{receiver}/broken").stderr
    assert "There is no webhook 'Nobody'" in run("webhook", "test", "Nobody").stderr
    failed = run("webhook", "test", made["id"])
    assert failed.exit_code == 1
    assert "It answered 500" in failed.stderr
    assert "failed (500)" in run("webhook", "show", made["id"]).stdout
    assert "failed 1 time in a row" in run("webhook", "list").stdout
    assert told("webhook", "replay", made["id"], code=1)["error"]["code"] == "usage"
    assert told("webhook", "replay", made["id"], "--message", "msg_none", code=1)["error"]["code"] == "not_found"
    assert run("webhook", "add", f"{receiver}/hook", "receipt.eaten").exit_code == 1
    assert run("webhook", "replay", made["id"], "--since", "yesterday").exit_code == 1

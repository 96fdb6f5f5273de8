"""The helpers of docs/how-to/webhooks.md, byte for byte as they stand there, against what Tidings signs."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tidings.domain.webhook import DISABLED_AFTER, MOST_EVENTS, TRIES_END, WebhookEvent
from tidings.lib.signed_webhooks import secret_text, signed_headers
from tidings.services.webhooks import KEEP_LOG, MOST

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md").read_text()
NOW = 1_790_000_000
OLD, NEW = b"o" * 32, b"n" * 32
BODY = '{"type":"events","data":{"events":["Grüße"]}}'.encode()

# Each program reads the cases from stdin, has a clock that stands still, and prints a list of verdicts.
PROGRAMS = {
    "python": (
        ["python3", "-c"],
        "{snippet}\nimport json, sys\ntime.time = lambda: {now}\n"
        "print(json.dumps([is_genuine(secret, headers, base64.b64decode(body))"
        " for secret, headers, body in json.load(sys.stdin)]))",
    ),
    "js": (
        ["node", "--input-type=module", "--eval"],
        "{snippet}\nimport { readFileSync } from 'node:fs'\nDate.now = () => {now} * 1000\n"
        "const cases = JSON.parse(readFileSync(0, 'utf8'))\n"
        "console.log(JSON.stringify(cases.map(([s, h, b]) => isGenuine(s, h, Buffer.from(b, 'base64')))))",
    ),
}


def headers(*keys: bytes, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    lines = signed_headers(keys, message_id="msg_1", timestamp=at, body=body)
    return dict(line.split(": ", 1) for line in lines)


CASES = [
    (NEW, headers(NEW), BODY, True),
    (NEW, headers(NEW, OLD), BODY, True),
    (OLD, headers(NEW, OLD), BODY, True),
    (OLD, headers(NEW), BODY, False),
    (NEW, headers(NEW), BODY + b" ", False),
    (NEW, headers(NEW, at=NOW - 299), BODY, True),
    (NEW, headers(NEW, at=NOW - 400), BODY, False),
    (NEW, headers(NEW, at=NOW + 400), BODY, False),
    (NEW, {**headers(NEW), "webhook-id": "msg_2"}, BODY, False),
    (NEW, {**headers(NEW), "webhook-timestamp": "soon"}, BODY, False),
    (NEW, {**headers(NEW), "webhook-signature": "v1,"}, BODY, False),
]


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_helper_takes_what_tidings_signs_and_nothing_else(language: str) -> None:
    command, program = PROGRAMS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    (snippet,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    text = program.replace("{now}", str(NOW)).replace("{snippet}", snippet)
    given = [(secret_text(key), fields, base64.b64encode(body).decode()) for key, fields, body, _ in CASES]
    done = subprocess.run([*command, text], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [expected for *_, expected in CASES]


def test_the_page_names_every_event_and_the_limits_that_hold() -> None:
    for kind in WebhookEvent:
        assert f"`{kind}`" in PAGE, kind
    assert f"up to {MOST_EVENTS // 1_000} 000 events" in PAGE
    assert f"have {MOST} webhooks" in PAGE
    assert f"calls of the last {KEEP_LOG.days} days" in PAGE
    assert (TRIES_END.days, DISABLED_AFTER.days) == (3, 5)
    assert "for three days" in PAGE
    assert "nothing for five days" in PAGE

"""The helpers of docs/how-to/identify-users.md, byte for byte as they stand there, against tokens made by openssl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tidings.domain.app import App
from tidings.services.identity import LONGEST_LIFE, check_identity, identity_token

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "identify-users.md").read_text()
TOKENS: list[dict[str, Any]] = json.loads((ROOT / "tests/vectors/identity/tokens.json").read_text())["tokens"]
NOW = 1_790_000_000
"""What each language takes for the present."""

# Each program reads the cases from stdin, has a clock that stands still, and prints the tokens as JSON.
PROGRAMS = {
    "python": (
        ["python3", "-c"],
        "{snippet}\nimport json, sys\ntime.time = lambda: {now}\n"
        "print(json.dumps([identity_token(*case) for case in json.load(sys.stdin)]))",
    ),
    "js": (
        ["node", "--input-type=module", "--eval"],
        "{snippet}\nimport { readFileSync } from 'node:fs'\nDate.now = () => {now} * 1000\n"
        "const cases = JSON.parse(readFileSync(0, 'utf8'))\n"
        "console.log(JSON.stringify(cases.map((one) => identityToken(...one))))",
    ),
    "php": (
        ["php", "-r"],
        # A function of the namespace comes before the one of the language.
        "namespace Site;\nfunction time(): int {{ return {now}; }}\n{snippet}\n"
        "$cases = json_decode(stream_get_contents(STDIN), true);\n"
        "echo json_encode(array_map(fn ($one) => identity_token(...$one), $cases));",
    ),
    "ruby": (
        ["ruby", "-e"],
        "{snippet}\nrequire 'json'\nTime.singleton_class.define_method(:now) {{ Time.at({now}) }}\n"
        "puts JSON.dump(JSON.parse($stdin.read.force_encoding('UTF-8')).map {{ |one| identity_token(*one) }})",
    ),
}


def snippet(language: str) -> str:
    """Give the first block of a language that has the helper in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return next(block for block in blocks if "lifetime" in block)


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_helper_makes_the_tokens_that_openssl_makes(language: str) -> None:
    command, program = PROGRAMS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    cases = [[one["secret"], one["user_id"], one["expiry"] - NOW] for one in TOKENS]
    text = (
        program.replace("{{", "{").replace("}}", "}").replace("{now}", str(NOW)).replace("{snippet}", snippet(language))
    )
    done = subprocess.run([*command, text], input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [one["token"] for one in TOKENS]


@pytest.mark.parametrize("one", TOKENS, ids=lambda one: one["what"])
def test_the_server_takes_the_tokens_that_openssl_makes(one: dict[str, Any]) -> None:
    secret, expiry = (
        one["secret"].encode(),
        datetime.fromtimestamp(one["expiry"], UTC) if one["expiry"] < 10**11 else None,
    )
    assert identity_token(secret, one["user_id"], expires=one["expiry"]) == one["token"]
    if expiry is not None:
        app = App(1, "app_1", "My site", (), secret, expiry)
        check_identity(app, one["user_id"], one["token"], now=expiry - timedelta(minutes=5))


def test_the_page_names_the_longest_life_that_the_server_takes() -> None:
    assert f"More than {LONGEST_LIFE.days} days is refused" in PAGE

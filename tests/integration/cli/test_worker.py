"""Several processes on one PostgreSQL: the API here, delivery there, commands anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.postgres import fresh_database, running_postgres

from tidings.lib.sealed import KeyRing

TIDINGS = [sys.executable, "-c", "from tidings.cli.main import run; run()"]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    key = tmp_path / "shared.key"
    key.write_text(KeyRing.generate().text())
    key.chmod(0o600)
    with running_postgres() as server, fresh_database(server) as url:
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")},
            "TIDINGS_DATABASE_URL": url,
            "TIDINGS_KEY_FILE": str(key),
            "TIDINGS_SENDERS": "1",
            "TIDINGS_METRICS_PORT": "0",
            "TIDINGS_ALLOW_INSECURE_ENDPOINTS": "true",
        }


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"{command} did not start"
        try:
            yield process, json.loads(line)
        finally:
            if process.poll() is None:
                process.terminate()


@pytest.mark.postgres
@pytest.mark.slow
def test_a_worker_delivers_what_another_process_accepted(environment: dict[str, str], tmp_path: Path) -> None:
    def told(*arguments: str, data: str = "web") -> Any:
        command = [*TIDINGS, *arguments, "--data", str(tmp_path / data), "--json"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    simulator = [sys.executable, "-m", "tidings.simulator", "--folder", str(tmp_path / "simulator")]
    web = [*TIDINGS, "up", "--no-worker", "--port", "0", "--data", str(tmp_path / "web"), "--json"]
    delivery = [*TIDINGS, "worker", "--data", str(tmp_path / "delivery"), "--json"]
    with (
        started(simulator, environment) as (_, push),
        started(web, environment),
        started(delivery, environment) as (worker, ready),
    ):
        assert (ready["worker"], ready["senders"]) == ("running", 1)
        key = told("vapid", "generate", "--subject", "mailto:push@example.com")["public_key"]
        wish = {"count": 20, "vapid_key": key}
        made = httpx2.post(f"{push['control']}/subscribers", json=wish, trust_env=False).json()["subscriptions"]
        (tmp_path / "devices.json").write_text(json.dumps(made))
        assert told("subscriptions", "import", str(tmp_path / "devices.json"))["added"] == 20
        sent = told("send", "--title", "Fresh fish", "--to", "all", "--yes")
        assert (sent["status"], sent["counts"]["sent"]) == ("done", 20)
        counted = httpx2.get(f"{ready['probes']}/metrics", trust_env=False).text
        assert 'tidings_outcomes_total{outcome="accepted",service="other"} 20.0' in counted.splitlines()
        # Another folder, no server of its own: the same database is opened in the command's process.
        assert told("vapid", "show", data="elsewhere")["keys"][0]["public_key"] == key
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "tidings.simulator"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_ready_line_and_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--folder", str(tmp_path / "new")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told) == {
            "push",
            "autopush",
            "control",
            "site",
            "gcm",
            "mcs",
            "apns",
            "apns_sandbox",
            "chromium",
            "ca",
        }
        assert Path(told["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(told["site"], timeout=20) as answer:
            assert b"Harbour News" in answer.read()
        os.kill(process.pid, number)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_ports_can_be_fixed_and_endpoints_named_otherwise(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["--folder", str(tmp_path), "--control-port", str(port), "--push-origin", "https://push.example.com/"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.terminate()
        process.communicate(timeout=20)
    assert told["control"] == f"http://127.0.0.1:{port}"
    assert told["push"] == "https://push.example.com"


def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ["--folder", str(tmp_path), "--site-port", str(taken.getsockname()[1])]
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("The simulator cannot start: ")
    assert "Traceback" not in done.stderr


def test_with_parent_it_ends_when_whoever_started_it_does(tmp_path: Path) -> None:
    starter = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({COMMAND!r} + ['--with-parent', '--folder', {str(tmp_path)!r}], "
        "stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(child.pid, file=sys.stderr, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        pid = int(parent.stderr.readline())
        json.loads(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.stdout.read() == b"", "the simulator held the pipe open until it ended"
    # The pipe closes a moment before the process has ended.
    limit = time.monotonic() + 60
    while _runs(pid):
        assert time.monotonic() < limit, "it closed its output and did not end"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}

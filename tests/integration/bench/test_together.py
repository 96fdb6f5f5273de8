"""Processes of a peer begin together, and a figure stands on what the sink counted, not on what they say alone."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidings.bench.peers import How, run_peer, script, write_jobs
from tidings.bench.sink import Sink, running_sink
from tidings.bench.together import PeerMissing, Program, run_together

pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="nginx is not installed; it takes what is sent (apt: nginx-light)",
)

MESSAGES = 20

SENDER = """
import json, ssl, sys, time, timed
from urllib.request import urlopen

origin, ca_file, marks, late, sends, says = sys.argv[1:]
context = ssl.create_default_context(cafile=ca_file)
time.sleep(float(late))
ready = time.monotonic()
begun = timed.begin()
began = time.monotonic()
for _ in range(int(sends)):
    urlopen(f"{origin}/push/x", data=b"x", context=context).close()
with open(marks, "w") as file:
    json.dump({"ready": ready, "began": began}, file)
timed.end(begun, int(says))
"""
"""A sender of its own: how late it is ready, how many it sends, and how many it says were taken."""


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    with running_sink(tmp_path_factory.mktemp("sink")) as running:
        yield running


def sender(folder: Path, text: str = SENDER) -> Program:
    file = folder / "sender.py"
    file.write_text(text)
    path = str(script("timed.py").parent)
    return Program("a sender", (sys.executable, str(file)), folder, {"PYTHONPATH": path})


def test_two_processes_of_a_peer_send_at_once_each_to_its_own(sink: Sink, tmp_path: Path) -> None:
    trust = {"REQUESTS_CA_BUNDLE": str(sink.ca_file), "NO_PROXY": "*"}
    program = Program("pywebpush", (sys.executable, str(script("peer.py"))), tmp_path, trust)
    jobs = write_jobs(sink, tmp_path, processes=2)
    first, second = ({one["endpoint"] for one in json.loads(job.read_text())["subscriptions"]} for job in jobs)
    assert len(first) == len(second) > MESSAGES
    assert not first & second
    before = sink.requests()
    peer = run_peer(program, jobs, How.KEPT, messages=MESSAGES, sink=sink)
    assert (peer.processes, peer.messages, peer.how) == (2, 2 * MESSAGES, How.KEPT)
    assert sink.requests() - before >= 2 * MESSAGES + 2  # and what each sent before its start
    assert peer.cpu > 0
    assert peer.rate > 0
    assert peer.beside(peer.cpu / 4).times == pytest.approx(4)


def test_nobody_begins_before_the_last_is_ready(sink: Sink, tmp_path: Path) -> None:
    late = {"0.0": tmp_path / "early.json", "0.5": tmp_path / "late.json"}
    shares = [(sink.origin, str(sink.ca_file), str(file), by, "2", "2") for by, file in late.items()]
    work = run_together(sender(tmp_path), shares, messages=2, sink=sink)
    assert work.messages == 4
    marks = [json.loads(file.read_text()) for file in late.values()]
    assert max(one["ready"] for one in marks) <= min(one["began"] for one in marks)


@pytest.mark.parametrize(("sends", "says"), [("2", "3"), ("3", "2"), ("2", "2")])
def test_a_figure_is_refused_where_counts_differ(sink: Sink, tmp_path: Path, sends: str, says: str) -> None:
    share = (sink.origin, str(sink.ca_file), str(tmp_path / "marks.json"), "0", sends, says)
    with pytest.raises(
        PeerMissing, match=f"of 3 messages {says} were taken by its own count and {sends} by the sink's"
    ):
        run_together(sender(tmp_path), [share], messages=3, sink=sink)


@pytest.mark.parametrize(
    "text", ["raise SystemExit('no such peer')", SENDER.replace("for _", "sys.exit('no such peer')\nfor _")]
)
def test_one_that_fails_says_why_and_holds_up_nobody(sink: Sink, tmp_path: Path, text: str) -> None:
    share = (sink.origin, str(sink.ca_file), str(tmp_path / "marks.json"), "0", "3", "3")
    with pytest.raises(PeerMissing, match="no such peer"):
        run_together(sender(tmp_path, text), [share, share], messages=3, sink=sink)


def test_what_processes_of_a_peer_start_costs_too(sink: Sink, tmp_path: Path) -> None:
    work = "import subprocess; subprocess.run([sys.executable, '-c', 'sum(range(10_000_000))'])"
    text = SENDER.replace("for _", f"{work}\nfor _")
    share = (sink.origin, str(sink.ca_file), str(tmp_path / "marks.json"), "0", "1", "1")
    alone = run_together(sender(tmp_path), [share], messages=1, sink=sink)
    assert run_together(sender(tmp_path, text), [share], messages=1, sink=sink).cpu > alone.cpu + 0.05

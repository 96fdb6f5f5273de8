"""A peer is measured between two campaigns of ours, and stands beside their mean; what moved meanwhile is said."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from tidings.bench import beside
from tidings.bench.beside import measure_beside
from tidings.bench.floor import Floor
from tidings.bench.peers import How, Peer, script
from tidings.bench.run import Found
from tidings.bench.sink import Sink, running_sink
from tidings.bench.together import PeerMissing, Program
from tidings.cli.bench import _show
from tidings.cli.output import Output

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="nginx is not installed; it takes what is sent (apt: nginx-light)",
)


def pywebpush(sink: Sink, *, cache: Path) -> Program:
    """The one beside the tests: this is about the turns, not about installing."""
    trust = {"REQUESTS_CA_BUNDLE": str(sink.ca_file), "NO_PROXY": "*"}
    return Program("pywebpush", (sys.executable, str(script("peer.py"))), cache.parent, trust)


def web_push(sink: Sink, *, cache: Path) -> Program:
    raise PeerMissing("Node.js is not installed")


@needs_nginx
def test_peers_and_ours_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PEERS", (pywebpush, web_push))
    (tmp_path / "sink").mkdir()
    turns: list[str] = []
    with running_sink(tmp_path / "sink") as sink:
        peers, missing = measure_beside(
            sink, folder=tmp_path, processes=[2], messages=20, subscribers=50, note=turns.append
        )
    ours = "  50 subscribers, senders: 2"
    shown, kept = (f"  pywebpush ({how}), processes: 2" for how in How)
    assert turns == [ours, shown, ours, kept, ours]
    assert missing == ["web_push: Node.js is not installed"]
    assert [(peer.how, peer.processes, peer.messages) for peer in peers] == [(how, 2, 40) for how in How]
    for peer in peers:
        assert peer.ours is not None
        assert peer.times == pytest.approx(peer.cpu / peer.ours)


@needs_nginx
@pytest.mark.parametrize("measured", [[100.0, 120.0, 140.0], [100.0, None, 140.0]])
def test_a_ratio_is_to_the_mean_of_both_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[float | None]
) -> None:
    monkeypatch.setattr(beside, "PEERS", (pywebpush,))
    rest = iter(measured)
    monkeypatch.setattr(beside, "_ours", lambda *_, **__: next(rest))
    (tmp_path / "sink").mkdir()
    with running_sink(tmp_path / "sink") as sink:
        peers, missing = measure_beside(sink, folder=tmp_path, processes=[1], messages=5, subscribers=9, note=print)
    exact = None not in measured
    assert [peer.ours for peer in peers] == ([110, 130] if exact else [None, None])
    assert len(missing) == (0 if exact else 2)


def shown(found: Found) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    _show(Output(as_json=False, stdout=out, stderr=err), found)
    return out.getvalue(), err.getvalue()


def test_what_is_printed_says_how_many_times_ours_and_how_far_the_floor_moved() -> None:
    two = Peer("web-push", cpu=1_000, rate=1_500, how=How.SHOWN, processes=2).beside(80)
    found = Found(floors=[Floor(20, 40, 5), Floor(20, 50, 8), Floor(20, 40, 6)], peers=[two])
    said, warned = shown(found)
    (line,) = [line for line in said.splitlines() if "web-push" in line]
    assert "as its page shows it, 2 processes" in line
    assert line.split()[-1] == "12.5"
    (line,) = [line for line in said.splitlines() if "by turns with these, senders 2" in line]
    assert " 80 " in line
    assert "The floor was 65 µs first and 66 last, 3 times measured from 65 to 78: a factor of 1.20." in said
    assert "cannot be compared" in warned
    document = found.document()
    assert document["floor"] == {"generate": 20, "agree": pytest.approx(130 / 3), "request": pytest.approx(19 / 3)} | {
        "whole": pytest.approx(209 / 3),
        "moved": pytest.approx(1.2),
    }
    assert found.moved == 1.2


def test_a_floor_that_stood_still_warns_of_nothing() -> None:
    said, warned = shown(Found(floors=[Floor(20, 40, 5), Floor(20, 40, 7)]))
    assert "a factor of 1.03" in said
    assert not warned
    assert "floor" not in shown(Found())[0]

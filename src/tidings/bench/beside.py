"""Peers and ourselves by turns: each peer between two campaigns of ours, so that a ratio is one of neighbours in time.

A machine that others use too is not equally fast for ten minutes; from one of these to the next are seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from tidings.bench.campaign import measure_campaign
from tidings.bench.peers import PEERS, How, Peer, run_peer, write_jobs
from tidings.bench.sink import Sink
from tidings.bench.together import PeerMissing, Program

MOST = 100_000
"""Subscribers of a campaign beside a peer, at most: there are five for each number of senders."""


def measure_beside(
    sink: Sink,
    *,
    folder: Path,
    processes: Sequence[int],
    messages: int,
    subscribers: int,
    note: Callable[[str], None],
) -> tuple[list[Peer], list[str]]:
    """Run each peer with each number of processes, beside as many senders of ours; give also what is missing."""
    jobs = write_jobs(sink, folder, processes=max(processes))
    programs, missing = _programs(sink, folder / "peers")  # before anything is measured: installing takes its time
    peers: list[Peer] = []
    for number in processes if programs else ():
        before = _ours(sink, folder, subscribers=subscribers, senders=number, note=note)
        for program, how in product(programs, How):
            note(f"  {program.name} ({how}), processes: {number}")
            try:
                peer = run_peer(program, jobs[:number], how, messages=messages, sink=sink)
            except PeerMissing as why:
                missing.append(f"{program.name} ({how}), processes {number}: {why}")
                continue
            after = _ours(sink, folder, subscribers=subscribers, senders=number, note=note)
            if before is None or after is None:
                missing.append(f"ours beside {program.name} ({how}), senders {number}: not sent to each exactly once")
                peers.append(peer)
            else:
                peers.append(peer.beside(mean((before, after))))
            before = after
    return peers, missing


def _programs(sink: Sink, cache: Path) -> tuple[list[Program], list[str]]:
    programs, missing = [], []
    for peer in PEERS:
        try:
            programs.append(peer(sink, cache=cache))
        except PeerMissing as why:
            missing.append(f"{peer.__name__}: {why}")
    return programs, missing


def _ours(sink: Sink, folder: Path, *, subscribers: int, senders: int, note: Callable[[str], None]) -> float | None:
    """Give the CPU microseconds of one message of a new instance; None where not everybody was sent to exactly once."""
    note(f"  {subscribers} subscribers, senders: {senders}")
    with TemporaryDirectory(dir=folder) as data:
        one = asyncio.run(measure_campaign(sink, folder=Path(data), subscribers=subscribers, senders=senders))
    return one.whole if one.exact else None

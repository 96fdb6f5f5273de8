"""`tidings bench`: what a message costs on this machine, as ratios to a floor and to others in the same run."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from tidings.cli.bench_events import events
from tidings.cli.bench_out import Out, keep
from tidings.cli.bench_pause import pause
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call, Group, command
from tidings.cli.output import Output, counted, number

if TYPE_CHECKING:
    from tidings.bench.campaign import Memory
    from tidings.bench.peers import Peer
    from tidings.bench.run import Found, Part

HELP = "Measure what a message costs on this machine, against a sink on loopback (nginx)."
MEGABYTE = 1 << 20
STEADY = 1.1
"""The dearest floor of a run in its cheapest, up to which its figures can be compared."""

Subscribers = Annotated[
    list[int] | None,
    typer.Option("--subscribers", min=1, help="Size of a campaign; repeat it for several.", show_default="10000"),
]
Senders = Annotated[
    list[int] | None,
    typer.Option("--senders", min=1, max=64, help="Sender processes; repeat it for several.", show_default="1"),
]
Thorough = Annotated[
    float, typer.Option("--thorough", min=0.01, max=10, help="Share of the rounds: 0.1 shows that it runs.")
]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=Group, no_args_is_help=True, help=HELP)
    root.add_typer(group, name="bench", rich_help_panel="Run")
    for one in (encrypt, send, campaign, ingest, compare, fcm, apns, soak):
        command(group, one.__name__)(one)
    command(group, "events")(events)
    command(group, "pause")(pause)
    command(group, "all")(everything)


def encrypt(call: Call, out: Out = None, thorough: Thorough = 1.0) -> None:
    """Fill, encrypt and address one request, without sending it."""
    _run(call, ["encrypt"], out=out, thorough=thorough)


def send(call: Call, out: Out = None, thorough: Thorough = 1.0) -> None:
    """Do what one sender process does: encrypt, send, read the answers."""
    _run(call, ["send"], out=out, thorough=thorough)


def fcm(call: Call, out: Out = None, thorough: Thorough = 1.0) -> None:
    """Send to phones through FCM, and the same with firebase-admin, which is installed for that."""
    _run(call, ["fcm"], out=out, thorough=thorough)


def campaign(
    call: Call,
    subscribers: Subscribers = None,
    senders: Senders = None,
    out: Out = None,
    thorough: Thorough = 1.0,
) -> None:
    """Send to all subscribers of a new instance: the whole way from the database to the outcome in it."""
    _run(call, ["campaign"], subscribers=subscribers, senders=senders, out=out, thorough=thorough)


def ingest(call: Call, out: Out = None, thorough: Thorough = 1.0) -> None:
    """Post notifications over the REST API: their cost, and the delay from POST to the push service."""
    _run(call, ["ingest"], out=out, thorough=thorough)


def compare(
    call: Call,
    subscribers: Subscribers = None,
    senders: Senders = None,
    out: Out = None,
    thorough: Thorough = 1.0,
) -> None:
    """Send by turns with Tidings and with as many processes of pywebpush and node web-push, installed for that.

    Needs the source tree. Of several sizes of a campaign the smallest is taken, and of 100000 at most.
    """
    _run(call, ["compare"], subscribers=subscribers, senders=senders, out=out, thorough=thorough)


def apns(call: Call, out: Out = None, thorough: Thorough = 1.0) -> None:
    """Send to iPhones as one sender process does, and with aioapns, which is installed for that."""
    _run(call, ["apns"], out=out, thorough=thorough)


def soak(
    call: Call,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long to send.")] = 600.0,
    senders: Senders = None,
    out: Out = None,
) -> None:
    """Send at full rate to a sink that fails now and then, and watch memory and open files of every process."""
    _run(call, ["soak"], senders=senders, out=out, soak_seconds=seconds)


def everything(
    call: Call,
    subscribers: Subscribers = None,
    senders: Senders = None,
    out: Out = None,
    thorough: Thorough = 1.0,
) -> None:
    """Measure everything but the soak."""
    from tidings.bench.run import EVERYTHING

    _run(call, list(EVERYTHING), subscribers=subscribers, senders=senders, out=out, thorough=thorough)


def _run(
    call: Call,
    parts: list[str] | list[Part],
    *,
    subscribers: list[int] | None = None,
    senders: list[int] | None = None,
    out: Path | None = None,
    thorough: float = 1.0,
    soak_seconds: float = 600.0,
) -> None:
    from tidings.bench.run import Part, Wish, measure
    from tidings.bench.sink import SinkMissing

    wish = Wish(
        parts=[Part(part) for part in parts],
        subscribers=subscribers or [10_000],
        senders=senders or [1],
        soak_seconds=soak_seconds,
        thorough=thorough,
    )
    try:
        found = measure(wish, note=call.out.note)
    except SinkMissing as missing:
        raise CommandFailed(f"There is nothing to send to: {missing}.", "Install nginx and try again.") from None
    document = found.document()
    keep(document, at=out, out=call.out)
    _show(call.out, found)


def _show(out: Output, found: Found) -> None:
    costs = list(_costs(found))
    floor = found.floor.whole if found.floor else None
    out.table(
        ("What", ">CPU, µs a message", ">of the floor", ">messages a second", ">times ours"),
        [
            (
                name,
                f"{cost:.0f}",
                f"{floor / cost:.2f}" if floor else "-",
                number(rate) if rate else "-",
                f"{times:.1f}" if times else "-",
            )
            for name, cost, rate, times in costs
        ],
    )
    if found.moved is not None:
        _show_moved(out, found, found.moved)
    for one in found.campaigns:
        exact = "exact" if one.exact else "NOT EXACT"
        out.say(f"{number(one.subscribers)} subscribers, senders {one.senders}: counters and the sink's are {exact}.")
        out.table(("Process", ">first MB", ">most MB", ">last MB", ">open files"), _memory(one.memory))
    if found.delay is not None:
        out.say(
            f"From POST to the push service: p50 {found.delay.p50:.0f} ms, p99 {found.delay.p99:.0f} ms, "
            f"longest {found.delay.most:.0f} ms."
        )
    if found.soak is not None:
        _show_soak(out, found)
    for why in found.missing:
        out.warn(f"Not measured: {why}")


def _show_moved(out: Output, found: Found, moved: float) -> None:
    wholes = [floor.whole for floor in found.floors]
    out.say(
        f"The floor was {wholes[0]:.0f} µs first and {wholes[-1]:.0f} last, {len(wholes)} times measured from "
        f"{min(wholes):.0f} to {max(wholes):.0f}: a factor of {moved:.2f}."
    )
    if moved > STEADY:
        out.warn("The machine was not equally fast all the time: figures that are minutes apart cannot be compared.")


def _costs(found: Found) -> list[tuple[str, float, float, float | None]]:
    """List (what, CPU microseconds, messages a second or 0, for a peer how many times what we need)."""
    peers = [*found.peers, *([found.apns.peer] if found.apns and found.apns.peer else [])]
    return [
        *((what, cpu, rate, None) for what, cpu, rate in (*_own_costs(found), *_beside(found))),
        *((_called(peer), peer.cpu, peer.rate, peer.times) for peer in peers),
    ]


def _own_costs(found: Found) -> list[tuple[str, float, float]]:
    costs: list[tuple[str, float, float]] = []
    if found.floor is not None:
        costs.append(("floor: new key pair, ECDH, request of h2load", found.floor.whole, 0))
    if found.encrypt is not None:
        costs.append(("encrypt and address", found.encrypt, 0))
    if found.send is not None:
        costs.append(("one sender's work", found.send, 0))
    if found.fcm is not None:
        costs.append(("one sender's work for a phone (FCM)", found.fcm, 0))
    for one in found.campaigns:
        what = f"whole way, {number(one.subscribers)} subscribers, senders {one.senders}"
        costs.append((what, one.whole, one.rate))
        costs += [("  of that, the main process", one.main, 0), ("  of that, the senders", one.sending, 0)]
    if found.ingest is not None:
        costs.append(("one POST to send, without delivery", found.ingest.cpu, found.ingest.rate))
    if found.events is not None:
        paces = found.events.paces
        costs += [(f"event: {one.what}, App of {number(one.triggers)} triggers", one.cpu, one.rate) for one in paces]
    if found.apns is not None:
        costs.append(("APNs, one sender's work", found.apns.ours, found.apns.rate))
    return costs


def _beside(found: Found) -> list[tuple[str, float, float]]:
    """List what a message cost us next to the peers, for each number of senders."""
    ours: dict[int, list[float]] = {}
    for peer in found.peers:
        if peer.how is not None and peer.ours is not None:
            ours.setdefault(peer.processes, []).append(peer.ours)
    return [(f"whole way, by turns with these, senders {senders}", fmean(each), 0) for senders, each in ours.items()]


def _called(peer: Peer) -> str:
    ways = {None: "", "shown": ", as its page shows it", "kept": ", key and connections kept"}
    at_once = f", {counted(peer.processes, 'process', 'processes')}" if peer.how else ""
    return f"{peer.name}{ways[peer.how]}{at_once}"


def _memory(memory: dict[str, Memory]) -> list[tuple[str, ...]]:
    return [
        (name, *(f"{size / MEGABYTE:.0f}" for size in (one.first, one.most, one.last)), str(one.files))
        for name, one in memory.items()
    ]


def _show_soak(out: Output, found: Found) -> None:
    soak = found.soak
    assert soak is not None
    names = list(soak.samples[0].held) if soak.samples else []
    out.table(
        (">second", *(f">{name}: MB, files" for name in names)),
        [
            (
                f"{sample.second:.0f}",
                *(f"{sample.held[name].memory / MEGABYTE:.0f}, {sample.held[name].files}" for name in names),
            )
            for sample in soak.samples
        ],
        empty="It was too short for a sample.",
    )
    counts = soak.counts
    adds_up = "they add up" if soak.adds_up else "they do NOT add up"
    out.say(
        f"{soak.campaigns} campaigns in {soak.seconds:.0f} s: {number(counts.audience)} recipients, "
        f"{number(counts.sent)} sent, {number(counts.failed)} failed, {number(counts.expired)} expired, "
        f"{number(counts.skipped)} skipped; {adds_up}."
    )

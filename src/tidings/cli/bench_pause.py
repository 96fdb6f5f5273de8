"""`tidings bench pause`: how soon a running campaign stands still when somebody stops it."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tidings.cli.bench_out import Out, keep
from tidings.cli.failure import CommandFailed
from tidings.cli.options import Call
from tidings.cli.output import number


def pause(
    call: Call,
    subscribers: Annotated[int, typer.Option("--subscribers", min=1_000, help="Size of the campaign.")] = 100_000,
    senders: Annotated[int, typer.Option("--senders", min=1, max=64, help="Sender processes.")] = 1,
    out: Out = None,
) -> None:
    """Pause one campaign, pause everything and cancel, on the way: seconds until the last message arrives."""
    from tidings.bench.ingest import ServerFailed
    from tidings.bench.pause import measure_stops
    from tidings.bench.sink import SinkMissing, running_sink

    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as name:
        folder = Path(name)
        (folder / "sink").mkdir()
        try:
            with running_sink(folder / "sink") as sink:
                call.out.note(f"Making {number(subscribers)} subscribers")
                found = measure_stops(
                    sink, folder=folder / "data", subscribers=subscribers, senders=senders, note=call.out.note
                )
        except SinkMissing as missing:
            raise CommandFailed(f"There is nothing to send to: {missing}.", "Install nginx and try again.") from None
        except ServerFailed as failed:
            raise CommandFailed(str(failed), "Try again on a machine with less to do.") from None
    document = asdict(found)
    keep(document, at=out, out=call.out)
    call.out.table(
        ("What", ">asked to answered, ms", ">answered to last arrival, ms", ">arrived after it"),
        [(one.way, f"{one.answered * 1e3:.0f}", f"{one.last * 1e3:.0f}", number(one.after)) for one in found.stops],
    )
    exact = "exact" if found.exact else "NOT EXACT"
    call.out.say(
        f"{number(subscribers)} subscribers, senders {senders}, {number(found.rate)} messages a second; "
        f"counters and the sink's are {exact}."
    )

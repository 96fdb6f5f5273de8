"""`tidings simulator firefox` and `chromium`: a browser of this machine, led to the simulator that runs here."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

STATE = "simulator.json"
"""In the folder: what the simulator's last start said, for those who did not see it."""

PROGRAMS = {
    "firefox": ("firefox", "firefox-esr"),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
}


def main(arguments: Sequence[str]) -> int:
    """Become the browser, at the sample site; give 1 with the reason in words when that cannot be."""
    parser = argparse.ArgumentParser(prog="tidings simulator", description="Open a browser that subscribes here.")
    parser.add_argument("browser", choices=sorted(PROGRAMS))
    parser.add_argument(
        "--folder", type=Path, default=Path("tidings-simulator"), help="the folder of the simulator that runs"
    )
    given = parser.parse_args(arguments)
    program = next(filter(None, map(shutil.which, PROGRAMS[given.browser])), None)
    if program is None:
        return _failed(f"There is no {given.browser} here.", f"Install one of: {', '.join(PROGRAMS[given.browser])}.")
    try:
        told = json.loads((given.folder / STATE).read_text())
    except (OSError, ValueError):
        return _failed(f"No simulator runs with the folder {given.folder}.", "Start it first, or name its --folder.")
    if not _has_display():
        return _failed(
            f"There is no display for {given.browser}: neither DISPLAY nor WAYLAND_DISPLAY is set.",
            "Run this in a terminal of the desktop, or with a display of its own: xvfb-run tidings simulator ...",
        )
    profile = (given.folder / given.browser).resolve()
    profile.mkdir(mode=0o700, exist_ok=True)
    options = _firefox(profile, told) if given.browser == "firefox" else _chromium(profile, told)
    os.execv(program, [program, *options, told["site"]])  # noqa: S606 - found on the path, started without a shell


def _has_display() -> bool:
    return sys.platform != "linux" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "MOZ_HEADLESS")))


def preferences(autopush: str) -> dict[str, str | bool]:
    """Give what leads a Firefox to the simulator's push socket."""
    return {
        "dom.push.serverURL": autopush,
        "dom.push.testing.allowInsecureServerURL": True,
        # Whoever drives a Firefox from outside turns this off.
        "dom.push.connection.enabled": True,
    }


def _firefox(profile: Path, told: dict[str, str]) -> list[str]:
    chosen = preferences(told["autopush"]).items()
    (profile / "user.js").write_text(
        "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen)
    )
    return ["--no-remote", "--profile", str(profile)]


def _chromium(profile: Path, told: dict[str, str]) -> list[str]:
    # Chromium has no sandbox for root, and says so instead of starting.
    rooted = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [f"--user-data-dir={profile}", "--no-first-run", *rooted, *told["chromium"]]


def _failed(what: str, mend: str) -> int:
    sys.stderr.write(f"{what}\n{mend}\n")
    return 1

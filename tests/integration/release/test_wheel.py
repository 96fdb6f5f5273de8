"""What users of a release get: a wheel, installed elsewhere, runs on its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from support.instance import free_port
from support.lanes import compiler

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).parent / "uv"
STATIC = ROOT / "src" / "tidings" / "web" / "static"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for part, target in (("sdk", "sdk"), ("dashboard", "dashboard")):
        if not (STATIC / part).exists():
            pytest.fail(f"The {part} is not built; run: make {target}")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--wheel", "--quiet", "--out-dir", out, ROOT], check=True, timeout=300)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, outside the repository; give the command."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=120)
    environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
    subprocess.run([UV, "pip", "install", "--quiet", wheel], check=True, timeout=400, env=environment)
    return folder / "bin" / "tidings"


def test_the_wheel_holds_the_sdk_the_dashboard_and_the_pages_but_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for wanted in (
        "tidings/web/static/sdk/sdk.js",
        "tidings/web/static/sdk/service-worker.js",
        "tidings/web/static/dashboard/index.html",
        "tidings/web/reference/index.html",
        "tidings/simulator/site/index.html",
        "tidings/presets/live_chat.toml",
        "tidings/storage/migrations/env.py",
        "tidings/py.typed",
    ):
        assert wanted in names
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("tests/") or "node_modules" in name]


def test_the_wheel_holds_the_compiled_part_and_says_for_what_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        holds = "tidings/lib/agreement/_lanes.so" in archive.namelist()
    assert holds == (compiler() is not None)
    assert wheel.name.endswith("-py3-none-any.whl") != holds


@pytest.fixture(scope="module")
def running(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tmp_path = tmp_path_factory.mktemp("running")
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [installed, "up", "--port", str(port), "--data", tmp_path / "data"],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
        )
    try:
        yield _ready(f"http://localhost:{port}", process, tmp_path / "log")
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0


def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 90
    while True:
        try:
            with urlopen(f"{url}/readyz", timeout=5):
                return url
        except OSError:  # not there yet, or there and still loading
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("path", "kind", "holds"),
    [
        ("/", "text/html", b"Tidings"),
        ("/docs", "text/html", b"Tidings"),
        ("/openapi.json", "application/json", b"/api/v1/notifications"),
        ("/push/sdk.js", "javascript", b"__tidings"),
        ("/push/service-worker.js", "javascript", b"__tidings"),
    ],
)
def test_it_serves_everything_people_and_browsers_need(running: str, path: str, kind: str, holds: bytes) -> None:
    with urlopen(f"{running}{path}", timeout=10) as answer:
        assert answer.status == 200
        assert kind in answer.headers["content-type"]
        assert holds in answer.read()

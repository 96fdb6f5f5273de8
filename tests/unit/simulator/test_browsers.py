from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidings.simulator import browsers
from tidings.simulator.run import main

TOLD = {"autopush": "ws://127.0.0.1:2/", "site": "http://localhost:4", "chromium": ["--gcm-mcs-endpoint=x"]}


class Became(Exception):
    """Instead of becoming another program."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def become(program: str, words: list[str]) -> None:
        raise Became(program, *words)

    monkeypatch.setattr("os.execv", become)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("DISPLAY", ":0")
    (tmp_path / browsers.STATE).write_text(json.dumps(TOLD))
    return tmp_path


def test_firefox_gets_a_profile_that_leads_here(folder: Path) -> None:
    with pytest.raises(Became) as became:
        main(["firefox", "--folder", str(folder)])
    profile = folder / "firefox"
    assert became.value.args[1:] == ("/usr/bin/firefox", "--no-remote", "--profile", str(profile), TOLD["site"])
    assert 'user_pref("dom.push.serverURL", "ws://127.0.0.1:2/");' in (profile / "user.js").read_text()
    assert 'user_pref("dom.push.connection.enabled", true);' in (profile / "user.js").read_text()


def test_chromium_gets_the_options_that_lead_here(folder: Path) -> None:
    with pytest.raises(Became) as became:
        main(["chromium", "--folder", str(folder)])
    assert f"--user-data-dir={folder / 'chromium'}" in became.value.args
    assert became.value.args[-2:] == ("--gcm-mcs-endpoint=x", TOLD["site"])


def test_without_a_simulator_or_a_browser_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["firefox", "--folder", str(folder / "none")]) == 1
    assert "No simulator runs" in capsys.readouterr().err
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["chromium", "--folder", str(folder)]) == 1
    assert "There is no chromium here." in capsys.readouterr().err


def test_without_a_display_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MOZ_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main(["chromium", "--folder", str(folder)]) == 1
    assert "There is no display for chromium" in capsys.readouterr().err

"""What docs/how-to/harden.md tells operators to do, done: the unit is one that systemd takes, the rights are enough."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from support.postgres import running_postgres
from support.stored import Given, sent
from tidings.lib.clock import FixedClock
from tidings.lib.sealed import CREDENTIAL, KeyRing
from tidings.storage.open import migrate, open_store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "harden.md").read_text()
UNIT = ROOT / "deploy" / "tidings.service"
WORST_MARK = 2.0


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Give the unit with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/tidings/bin/tidings up", shutil.which("true") or "/bin/true"))
    return copy


def test_systemd_takes_the_unit_without_a_complaint(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_mark_is_a_good_one(unit: Path) -> None:
    asked = ["systemd-analyze", "security", "--no-pager", "--offline=yes", str(unit)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode and "offline" in done.stderr:
        pytest.skip("this systemd-analyze judges no files")
    mark = re.search(r"Overall exposure level for tidings.service: ([\d.]+)", done.stdout)
    assert mark is not None, done.stderr
    assert float(mark[1]) <= WORST_MARK


def test_the_unit_and_the_page_name_the_credential_that_is_looked_for() -> None:
    line = f"LoadCredential={CREDENTIAL}:/etc/tidings/tidings.key"
    assert line in UNIT.read_text()
    assert line in PAGE


@pytest.mark.postgres
async def test_the_role_of_the_page_may_do_all_that_a_server_does_and_change_no_table(
    tmp_path: Path, clock: FixedClock
) -> None:
    (script,) = re.findall(r"^```sql\n(.*?)^```", PAGE, re.M | re.S)
    of_server, of_database = script.split("\\c tidings\n")
    with running_postgres() as url:
        parts = urlsplit(url)

        def at(user: str | None, database: str) -> str:
            if user is None:
                return urlunsplit(parts._replace(path=f"/{database}"))
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{user}:...@{host}", path=f"/{database}"))

        try:
            with psycopg.connect(url, autocommit=True) as server:
                for statement in of_server.strip().split(";\n"):
                    server.execute(statement.rstrip(";"))  # type: ignore[call-overload]
            with psycopg.connect(at(None, "tidings"), autocommit=True) as database:
                database.execute(of_database)  # type: ignore[call-overload]
            migrate(database_url=at("tidings_owner", "tidings"), folder=tmp_path)
            store = open_store(database_url=at("tidings", "tidings"), folder=tmp_path, ring=KeyRing.generate())
            try:
                given = Given(store, clock.now())
                app = await given.app()
                ids = await given.devices(app, await given.credential(app), 3)
                notification = await given.notification(app)
                shard = await given.claimed(await given.shard(notification))
                assert await given.settle(shard, sent(*ids))
                erased = await store.write(lambda tx: tx.erasures.user(app, "anna", public_id="era_1", now=given.now))
                while await store.write(lambda tx: tx.erasures.step(erased.id, limit=9, now=given.now)):
                    pass
            finally:
                await store.close()
            with (
                psycopg.connect(at("tidings", "tidings"), autocommit=True) as limited,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                limited.execute("DROP TABLE deliveries")
        finally:
            with psycopg.connect(url, autocommit=True) as server:
                server.execute("DROP DATABASE IF EXISTS tidings WITH (FORCE)")
                for role in ("tidings", "tidings_owner"):
                    server.execute(f"DROP ROLE IF EXISTS {role}")  # type: ignore[call-overload]

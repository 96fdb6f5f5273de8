"""What the demo makes of the settings of an instance that is in use."""

from __future__ import annotations

from pathlib import Path

from tidings.cli.instance import uses_files
from tidings.cli.up import for_demo
from tidings.settings import Settings


def test_the_demo_leaves_a_real_database_and_its_folder_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url="postgresql://tidings@db.example.com/tidings")
    demo = for_demo(settings)
    assert demo.database_url is None
    assert uses_files(demo)
    assert demo.data == tmp_path / "demo"
    assert settings.database_url is not None

"""What browsers are pointed at: a demo of its own for each module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.instance import Instance, running_demo


@pytest.fixture(scope="module")
async def instance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Instance]:
    async with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running

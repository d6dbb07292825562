"""A presence server for foreign clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.scenarios.conftest import launcher
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import presence_script


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ExitStack() as stack:
        yield launcher(tmp_path_factory.mktemp("interop"), stack)(
            presence_script('loadmodule "presence_mwi.so"')
        )

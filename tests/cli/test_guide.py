from __future__ import annotations

from pathlib import Path

import pytest

from openpy import __version__
from openpy.cli.guide import banner, guide
from openpy.engine.sockets import Endpoint
from tests.engine.kit import MODULES, Bench


def test_the_banner_lists_the_sockets_one_a_line(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        port = bench.server.sockets.endpoints[0].port
        assert banner(bench.server).splitlines() == [
            f"openpy {__version__}",
            "Listening on",
            f"  udp:127.0.0.1:{port}",
        ]


@pytest.mark.parametrize(
    ("endpoint", "domain"),
    [
        (Endpoint("udp", "127.0.0.1", 5060), "127.0.0.1"),
        (Endpoint("udp", "127.0.0.1", 5070), "127.0.0.1:5070"),
        (Endpoint("tcp", "::1", 5070), "[::1]:5070"),
    ],
)
def test_the_guide_gives_commands_that_reach_this_server(
    tmp_path: Path, endpoint: Endpoint, domain: str
) -> None:
    with Bench(tmp_path) as bench:
        bench.server.sockets.endpoints[:] = [endpoint]
        text = guide(bench.server)
        assert f"watch sip:alice@{domain}\n" in text
        assert f"publish sip:alice@{domain} open" in text
        assert f"listening   {endpoint}\n" in text
        assert f"serving {tmp_path}/test.cfg" in text
        assert "sl tm maxfwd textops xlog" in text
        assert "database" not in text
        assert max(map(len, text.splitlines())) < 200
        assert len(text.splitlines()) < 25


def test_the_guide_tells_of_phones_where_they_can_register(tmp_path: Path) -> None:
    for modules in (MODULES, (*MODULES, "usrloc", "registrar")):
        with Bench(tmp_path, modules=modules) as bench:
            bench.server.sockets.endpoints[:] = [Endpoint("udp", "127.0.0.1", 5070)]
            told = "as sip:alice@127.0.0.1:5070 and sip:bob@127.0.0.1:5070, and call" in guide(bench.server)
            assert told is ("registrar" in modules)


def test_the_guide_says_how_to_begin_anew(tmp_path: Path) -> None:
    with Bench(tmp_path, modules=("sqlite",)) as bench:
        bench.server.database(f"sqlite:///{tmp_path}/x.db")
        assert f"rm -f {tmp_path}/x.db*" in guide(bench.server)

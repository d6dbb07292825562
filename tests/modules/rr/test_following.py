from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.engine.socketids import SocketId
from openpy.engine.sockets import Sockets
from openpy.modules.rr.following import follow, goes_down, route_param, route_params
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request

NEXT = "sip:bob@192.0.2.9"
OURS = "Route: <sip:127.0.0.1;lr;FTAG=a1;x>"
LOOSE = "Route: <sip:192.0.2.8;lr>"


def followed(tmp_path: Path, *headers: str, uri: str = NEXT, to_tag: str = "b") -> Run:
    with Bench(tmp_path, more="alias=127.0.0.1:5060") as bench:
        run = Run(bench.server, parse_message(request("BYE", uri, *headers, to_tag=to_tag)), bench.phone())
        heard: list[Run] = []
        run.rc = follow(run, [heard.append])
        assert heard == ([run] if route_params(run) else [])
        return run


def test_without_routes_nothing_is_followed(tmp_path: Path) -> None:
    run = followed(tmp_path)
    assert (run.rc, run.edits_made, run.uri) == (-1, None, NEXT)


def test_our_own_route_is_taken_off_and_remembered(tmp_path: Path) -> None:
    run = followed(tmp_path, OURS, LOOSE)
    assert (run.rc, run.state.destination_uri) == (1, "sip:192.0.2.8;lr")
    assert route_params(run) == ";lr;FTAG=a1;x"
    assert (route_param(run, "ftag"), route_param(run, "x"), route_param(run, "y")) == ("a1", "", None)
    sent = run.edits.apply()
    assert sent.count(b"Route:") == 1
    assert b"Route: <sip:192.0.2.8;lr>\r\n" in sent


def test_a_route_of_others_stays(tmp_path: Path) -> None:
    run = followed(tmp_path, LOOSE)
    assert (run.rc, run.state.destination_uri, run.edits_made) == (1, "sip:192.0.2.8;lr", None)
    assert route_params(run) == ""


def test_a_strict_router_gets_its_own_uri(tmp_path: Path) -> None:
    run = followed(tmp_path, OURS, "Route: <sip:strict.example>")
    assert (run.rc, run.uri) == (1, "sip:strict.example")
    assert b"Route: <sip:bob@192.0.2.9>\r\n" in run.edits.apply()


def test_ours_alone_says_nothing_before_the_dialog(tmp_path: Path) -> None:
    assert followed(tmp_path, OURS, to_tag="").rc == -1


def test_the_second_of_a_pair_names_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SocketId] = []
    monkeypatch.setattr(Sockets, "listening", lambda sockets, wanted: asked.append(wanted))
    assert (
        followed(tmp_path, "Route: <sip:127.0.0.1;r2=on;lr>, <sip:127.0.0.1;r2=on;lr;transport=tcp>").rc == 1
    )
    assert asked == [SocketId("tcp", "127.0.0.1", 5060)]


def test_what_cannot_be_read_is_a_parse_error(tmp_path: Path) -> None:
    run = followed(tmp_path, "Route: <sip:")
    assert run.rc == -1
    assert run.mistake is not None
    assert run.mistake.info == "error parsing Route"


@pytest.mark.parametrize(("route", "down"), [(OURS, True), (OURS.replace("a1", "b"), False), (LOOSE, True)])
def test_the_tag_in_our_route_tells_the_direction(tmp_path: Path, route: str, down: bool) -> None:
    assert goes_down(followed(tmp_path, route)) is down

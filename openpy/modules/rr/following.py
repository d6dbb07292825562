"""How a request follows its Routes (openser 1.3 `loose_route`), and what is known of the one of ours that it had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from openpy.engine.run import Run
from openpy.engine.socketids import SocketId
from openpy.modules.rr.recording import params_text
from openpy.modules.rr.routing import Way, way_of
from openpy.sip.errors import RemoteError
from openpy.sip.headers import recalled_name_addr, split_list
from openpy.sip.transports import port_of, transport_of
from openpy.sip.uri import Uri, cached_uri

ROUTE = "rr route"
"""What is noted with a message: the parameters of the Route that was taken off."""


def follow(run: Run, on_routed: Sequence[Callable[[Run], None]]) -> int:
    """Go where the Routes say: 1; -1 where there are none, or only ours from before the dialog.

    `on_routed` are called where the first one was ours.
    """
    request = run.request
    if not request.has("Route"):
        return -1
    try:
        routes = [recalled_name_addr(route) for line in request.all("Route") for route in split_list(line)]
        in_dialog = bool(request.to.tag)
        way = way_of(cached_uri(run.uri), routes, partial(_is_mine, run), in_dialog=in_dialog)
    except RemoteError:
        run.parse_failed("Route")
        return -1
    _take(run, way, len(routes))
    if way.own is not None:
        run.state.notes[ROUTE] = params_text(way.own)
        for callback in on_routed:
            callback(run)
    if way.leaves_by is not None:
        socket = way.leaves_by
        wanted = SocketId(transport_of(socket), socket.host, port_of(socket))
        run.state.send_socket = run.server.sockets.listening(wanted)
    return 1 if way.is_routed else -1


def _take(run: Run, way: Way, before: int) -> None:
    state = run.state
    if way.uri:
        state.uri = way.uri
    if way.next_hop:
        state.destination_uri = way.next_hop
    if len(way.routes) != before or way.uri:
        run.edits.remove("Route")
        if way.routes:
            run.edits.append_header(f"Route: {', '.join(map(str, way.routes))}\r\n")


def _is_mine(run: Run, uri: Uri) -> bool:
    return uri.is_sip and run.server.is_own_via(uri.host, port_of(uri))


def route_params(run: Run) -> str:
    """The parameters of our Route that was taken off; "" where none was."""
    text: str = run.state.notes.get(ROUTE, "")
    return text


def route_param(run: Run, name: str) -> str | None:
    """One of them; `name` is in lower case."""
    for part in route_params(run).split(";"):
        key, _, value = part.partition("=")
        if key.lower() == name:
            return value
    return None


def goes_down(run: Run) -> bool:
    """Whether a request goes from who began the dialog; also where nothing is known of it."""
    tag = route_param(run, "ftag")
    try:
        return tag is None or tag == run.request.from_.tag
    except RemoteError:
        return True

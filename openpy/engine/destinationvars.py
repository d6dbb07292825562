"""The pseudo-variables of where a request goes, which scripts may assign: `$ru`, `$du`, `$br`, `$fs` and their parts
(openser 1.3 core, `pvar`).
"""

from __future__ import annotations

from collections.abc import Callable

from openpy.engine.corebranches import add_branch
from openpy.engine.requesturi import change, rewrite
from openpy.engine.run import Run
from openpy.engine.state import Branch
from openpy.engine.urivars import host_of, parsed, port_of, transport_of, user_of
from openpy.script.environment import Getter, Index, Inner, PseudoVariableSpec, Setter
from openpy.script.syntax import SocketId
from openpy.script.values import Value
from openpy.sip.errors import RemoteError
from openpy.sip.message import Request
from openpy.sip.uri import parse_uri


def _received_uri(run: Run) -> str:
    return run.message.uri if isinstance(run.message, Request) else ""


def _parts(prefix: str, uri: Callable[[Run], str], what: str) -> dict[str, Getter]:
    """`$ru`-like families: user, domain, port and transport of one URI."""
    return {
        prefix + "U": lambda run: user_of(parsed(run, uri(run), what)),
        prefix + "d": lambda run: host_of(parsed(run, uri(run), what)),
        prefix + "p": lambda run: port_of(parsed(run, uri(run), what)),
        prefix + "P": lambda run: transport_of(parsed(run, uri(run), what)),
    }


def _next_hop_parts() -> dict[str, Getter]:
    """The parts of the next hop; it has no `$dU`."""
    parts = _parts("d", lambda run: run.state.destination_uri, "dst uri")
    return {name: parts[name] for name in ("dd", "dp", "dP")}


def _socket(run: Run) -> Value:
    socket = run.state.send_socket
    return None if socket is None else str(socket)


_GETTERS: dict[str, Getter] = {
    "ru": lambda run: run.uri or None,
    "ruri": lambda run: run.uri or None,
    **_parts("r", lambda run: run.uri, "r-uri"),
    "ou": lambda run: _received_uri(run) or None,
    "ouri": lambda run: _received_uri(run) or None,
    **_parts("o", _received_uri, "r-uri"),
    "du": lambda run: run.state.destination_uri or None,
    "duri": lambda run: run.state.destination_uri or None,
    **_next_hop_parts(),
    "ds": lambda run: run.destination_set() or None,
    "br": lambda run: run.state.branches[0].uri if run.state.branches else None,
    "bR": lambda run: ", ".join(run.branch_list()) or None,
    "fs": _socket,
}
_GETTERS |= {"ruri.user": _GETTERS["rU"], "ruri.domain": _GETTERS["rd"]}


# --- assigning ----------------------------------------------------------------------------------------------


def _set_uri(run: Run, value: Value, operator: str) -> bool:
    return isinstance(value, str) and rewrite(run, value)


def _set_uri_user(run: Run, value: Value, operator: str) -> bool:
    if isinstance(value, int):
        return False
    user: str | None = value or None
    return change(run, lambda uri: uri.with_user(user))


def _set_uri_host(run: Run, value: Value, operator: str) -> bool:
    if not isinstance(value, str):
        return False
    host: str = value
    return change(run, lambda uri: uri.with_host(host, uri.port))


def _set_destination(run: Run, value: Value, operator: str) -> bool:
    if isinstance(value, int):
        return False
    run.state.destination_uri = value or ""
    return True


def _append_branch(run: Run, value: Value, operator: str) -> bool:
    return isinstance(value, str) and add_branch(run, Branch(value))


def _force_socket(run: Run, value: Value, operator: str) -> bool:
    """A SIP URI that names one of our sockets; what names none leaves everything as it is, and says so."""
    if isinstance(value, int):
        return False
    if not value:
        run.state.send_socket = None
        return True
    try:
        uri = parse_uri(value)
    except RemoteError:
        return False
    if not uri.is_sip:
        return False
    socket = run.server.sockets.listening(SocketId(uri.transport or None, uri.host, uri.port))
    if socket is None:
        run.warn(f"$fs: the server doesn't listen on {value}")
    else:
        run.state.send_socket = socket
    return True


_SETTERS: dict[str, Setter] = {
    "ru": _set_uri,
    "ruri": _set_uri,
    "rU": _set_uri_user,
    "ruri.user": _set_uri_user,
    "rd": _set_uri_host,
    "ruri.domain": _set_uri_host,
    "du": _set_destination,
    "duri": _set_destination,
    "br": _append_branch,
    "fs": _force_socket,
}


def _specified(name: str, getter: Getter, setter: Setter | None) -> PseudoVariableSpec:
    def bind(inner: Inner, index: Index) -> Getter:
        return getter

    return PseudoVariableSpec(name, bind, (lambda inner: setter) if setter is not None else None)


DESTINATION_VARIABLES: dict[str, PseudoVariableSpec] = {
    name: _specified(name, getter, _SETTERS.get(name)) for name, getter in _GETTERS.items()
}

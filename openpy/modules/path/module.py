"""path: its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from openpy.engine.checks import switch
from openpy.engine.module import REQUEST, Effect, Module, Param, Text, script_function
from openpy.engine.run import Run
from openpy.engine.sockets import bracketed
from openpy.modules.rr.module import Rr
from openpy.sip.errors import RemoteError
from openpy.sip.transports import uri_transport
from openpy.sip.uri import cached_uri
from openpy.transaction.flow import Flow


@dataclass(frozen=True, slots=True)
class OwnPath:
    """The Path that we put on a request, written for the way that it leaves by."""

    user: str
    received: str

    def __call__(self, run: Run, flow: Flow) -> str:
        """The header line."""
        host, port = run.advertised(flow)
        user = f"{self.user}@" if self.user else ""
        transport = "" if flow.transport == "udp" else f";transport={uri_transport(flow.transport)}"
        received = f";received={self.received}" if self.received else ""
        return f"Path: <sip:{user}{host}:{port}{transport};lr{received}>\r\n"


class Path(Module):
    """Lets a registrar send requests for a phone through this server (RFC 3327).

    On a proxy in front of the registrar, which phones behind a NAT can reach:

        modparam("path", "use_received", 1)
        route {
            if (is_method("REGISTER")) { add_path_received(); $du = "sip:registrar.example.com"; }
            else loose_route();
            t_relay();
        }
    """

    name = "path"

    use_received = Param(
        int,
        0,
        "1: a request that loose_route takes goes where `received` in our Route says; needs rr",
        check=switch,
    )

    def requirements(self) -> tuple[str, ...]:
        """rr, where our own Routes are looked at."""
        return ("rr",) if self.use_received else ()

    def check(self) -> None:
        """Have rr call back."""
        if self.use_received:
            rr = self.services.module("rr")
            assert isinstance(rr, Rr)
            rr.on_routed.append(lambda run: _go_to_received(run, rr))

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def add_path(self, run: Run, user: Text = "") -> int:
        """Put a Path with our address on the request."""
        return _add(run, user, "")

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def add_path_received(self, run: Run, user: Text = "") -> int:
        """The same with where the request came from, as the parameter `received`."""
        flow = run.flow
        transport = "" if flow.transport == "udp" else quote(f";transport={uri_transport(flow.transport)}")
        return _add(run, user, f"sip:{bracketed(flow.host)}:{flow.port}{transport}")


def _add(run: Run, user: str, received: str) -> int:
    run.state.late_headers = (*run.state.late_headers, OwnPath(user, received))
    return 1


def _go_to_received(run: Run, rr: Rr) -> None:
    """Send a request to where its REGISTER came from."""
    text = unquote(rr.route_param(run, "received") or "")
    if not text:
        return
    try:
        cached_uri(text)
    except RemoteError:
        run.parse_failed("received parameter of Route")
        return
    run.state.destination_uri = text

"""nathelper: its declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, inf
from typing import Annotated, Any

from openpy.engine.checks import flag, not_negative, own_method, positive, switch, uri
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Format,
    Function,
    Module,
    ModuleError,
    NumberKind,
    Param,
    Refusal,
    RouteKind,
    mi_command,
    script_function,
)
from openpy.engine.named import NamedAvp, avp_written
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.engine.socketids import SocketId, read_socket
from openpy.modules.nathelper import contacts, rtpproxy, sdp
from openpy.modules.nathelper.detecting import is_behind_nat
from openpy.modules.nathelper.media import Options, OptionsKind, relay
from openpy.modules.nathelper.pinging import Pinger
from openpy.modules.nathelper.pings import Pings, Rules
from openpy.modules.nathelper.relays import Relays, read_relays
from openpy.modules.nathelper.rtpproxy import Session
from openpy.modules.nathelper.sources import source_of
from openpy.modules.nathelper.wires import Patience
from openpy.modules.tm.api import context_of
from openpy.modules.usrloc.api import UsrlocApi
from openpy.sip.transports import SIP_PORT

ANYWHERE = frozenset({RouteKind.REQUEST, RouteKind.ONREPLY, RouteKind.FAILURE, RouteKind.BRANCH})
REQUEST_REPLY_BRANCH = frozenset({RouteKind.REQUEST, RouteKind.ONREPLY, RouteKind.BRANCH})

NO_OPTIONS = Options()

RELAYS = "nathelper set"
"""What is noted with a message: the set of rtpproxies that its script has chosen."""

NO_AVP = Refusal(
    "nathelper has no received_avp", 'add: modparam("nathelper|registrar", "received_avp", "$avp(i:801)")'
)


def _socket(text: str) -> str:
    if not text:
        return text
    written = read_socket(text)
    if written.protocol not in (None, "udp"):
        raise ArgumentError(f"pings leave by UDP, not by {text}")
    if not all(character.isalnum() or character in ".-:[]" for character in written.host):
        raise ArgumentError(f'"{text}" is no socket', "write udp:address:port")
    return text


def _sdp_lines(text: str) -> str:
    lines = text.splitlines(keepends=True)
    if not all(line[1:2] == "=" and line[:1].isalpha() and line.endswith("\n") for line in lines):
        raise ArgumentError("lines of SDP expected", r'write lines such as "a=nortpproxy:yes\r\n"')
    return text


def _relays(text: str) -> str:
    read_relays(text)
    return text


@dataclass(frozen=True, slots=True)
class MaskKind:
    """A mask of flags, decimal or 0x hexadecimal."""

    description: str = "flags such as 3 or 0x3"

    def convert(self, text: str, environment: Any) -> int:
        """Convert; raises ArgumentError."""
        if text[:2].lower() != "0x":
            return NumberKind(0).convert(text, environment)
        try:
            return int(text, 16)
        except ValueError:
            raise ArgumentError(f'bad number "{text}"') from None


Mask = Annotated[int, MaskKind()]


class Nathelper(Module):
    """Finds out who is behind a NAT, repairs what such messages say of themselves, and keeps the way back open.

        modparam("usrloc", "nat_bflag", 6)
        modparam("nathelper|registrar", "received_avp", "$avp(i:801)")
        modparam("nathelper", "natping_interval", 30)
        modparam("nathelper", "ping_nated_only", 1)
        route {
            force_rport();
            if (nat_uac_test("19")) {
                if (is_method("REGISTER")) { fix_nated_register(); setbflag(6); }
                else fix_nated_contact();
            }
            if (is_method("REGISTER")) { save("location"); exit; }
            if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
            t_relay();
        }

    With `natping_interval` every contact that is reached by UDP gets a ping once in so many seconds, spread evenly
    over them: four octets of zero, or a SIP request if it has the branch flag `sipping_bflag`.

    With `rtpproxy_sock` media can go by an rtpproxy: `force_rtp_proxy` for the INVITE and for its replies,
    `unforce_rtp_proxy` for the BYE. While the rtpproxy is asked, the route waits and other messages do not.
    """

    name = "nathelper"
    can_join = True

    natping_interval = Param(
        int,
        0,
        "Seconds between two pings of a contact; 0: none; needs usrloc",
        check=not_negative,
        reload=True,
    )
    ping_nated_only = Param(
        int, 0, "1: only contacts with `nat_bflag` of usrloc are pinged", check=switch, reload=True
    )
    natping_processes = Param(
        int, 1, "Of 1.3; without effect: pings need no process", check=positive, reload=True
    )
    natping_socket = Param(
        str, "", "A socket of ours, `address[:port]`, that all pings leave by", check=_socket, reload=True
    )
    received_avp = Param(
        str, "", "AVP for `fix_nated_register`; give registrar the same", check=avp_written, reload=True
    )
    sipping_bflag = Param(
        int, -1, "Branch flag of contacts that are pinged by SIP; -1: none is", check=flag, reload=True
    )
    sipping_from = Param(str, "", "From of these pings", check=uri, reload=True)
    sipping_method = Param(str, "OPTIONS", "Their method", check=own_method, reload=True)
    force_socket = Param(
        str, "", "A socket of ours for pings of contacts that name none", check=_socket, reload=True
    )
    rtpproxy_sock: Param[Any] = Param(
        str,
        [],
        "rtpproxies of a set: `[set ==] udp:host:port[=weight] unix:/path ...`; without a number it is set 0; may be"
        " repeated",
        repeat=True,
        check=_relays,
    )
    rtpproxy_disable_tout = Param(
        int,
        60,
        "Seconds for which an rtpproxy is left alone that did not answer",
        check=positive,
        reload=True,
    )
    rtpproxy_retr = Param(
        int, 5, "How often a command to an rtpproxy is repeated, by UDP", check=not_negative, reload=True
    )
    rtpproxy_tout = Param(int, 1, "Seconds until it is", check=positive, reload=True)
    nortpproxy_str = Param(
        str,
        "a=nortpproxy:yes\r\n",
        "The lines that say in an SDP that its media is relayed already",
        check=_sdp_lines,
        reload=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._pings = Pings(services, Rules())
        self._pinger: Pinger | None = None
        self._received: NamedAvp | None = None
        self._relays = Relays(services, (), Patience(1, 5), 60)

    # --- as configured ----------------------------------------------------------------------------------------

    def requirements(self) -> tuple[str, ...]:
        """usrloc, where contacts are pinged."""
        return ("usrloc",) if self.natping_interval else ()

    def functions(self) -> Iterator[Function]:
        """All script functions; fix_nated_register needs an AVP."""
        for function in super().functions():
            if function.name == "fix_nated_register" and not self.received_avp:
                function = replace(function, refusal=NO_AVP)
            yield function

    def check(self) -> None:
        """Whether pings can be sent as they are wanted; raises ModuleError."""
        if not self.natping_interval:
            return
        usrloc = self._usrloc
        assert usrloc is not None
        if self.ping_nated_only and not usrloc.nat_flag:
            raise ModuleError(
                "nathelper: ping_nated_only is set, and usrloc has no nat_bflag",
                'add: modparam("usrloc", "nat_bflag", 6)',
            )
        if self.sipping_bflag >= 0 and not self.sipping_from:
            raise ModuleError(
                "nathelper: sipping_bflag is set, and sipping_from is not",
                'add: modparam("nathelper", "sipping_from", "sip:pinger@example.com")',
            )

    @property
    def _usrloc(self) -> UsrlocApi | None:
        usrloc = self.services.module("usrloc")
        api: UsrlocApi | None = None if usrloc is None else usrloc.bind()
        return api

    async def start(self) -> None:
        """Begin to ping."""
        written = [each for text in self.rtpproxy_sock for each in read_relays(text)]
        self._relays = Relays(self.services, written, self._relays.patience, self._relays.pause)
        self.reconfigured(self)

    def reconfigured(self, configured: Module) -> None:
        """Ping as the parameters say now."""
        self._received = NamedAvp(self.received_avp) if self.received_avp else None
        self._relays.patience = Patience(self.rtpproxy_tout, self.rtpproxy_retr)
        self._relays.pause = self.rtpproxy_disable_tout
        usrloc = self._usrloc
        if usrloc is None:
            return
        self._pings.rules = Rules(
            usrloc.nat_flag if self.ping_nated_only else 0,
            1 << self.sipping_bflag if self.sipping_bflag >= 0 else 0,
            self.sipping_method,
            self.sipping_from,
            self._own_socket("natping_socket"),
            self._own_socket("force_socket"),
        )
        if self._pinger is None:
            self._pinger = Pinger(self.services, usrloc, self._pings.send)
        self._pinger.use(self.natping_interval)

    def _own_socket(self, parameter: str) -> SocketId | None:
        """The socket that a parameter names; None, with a warning, where the server does not listen there."""
        text = getattr(self, parameter)
        if not text:
            return None
        socket = read_socket(text)
        if self.services.is_myself(socket.host, socket.port or SIP_PORT):
            return socket
        self.services.log.warning(
            self.name, f"{parameter}: the server does not listen on {text}; pings leave by other sockets"
        )
        return None

    async def drain(self) -> None:
        """Ping nobody any more."""
        if self._pinger is not None:
            self._pinger.stop()

    async def stop(self) -> None:
        """Ask no rtpproxy any more."""
        self._relays.close()

    # --- who is behind a NAT ----------------------------------------------------------------------------------

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    def nat_uac_test(self, run: Run, mask: Mask) -> int:
        """Whether one of these signs of a NAT is there, which are added up.

        1: the host of Contact is private; 2: that of the top Via is not where the message came from; 4: it is private;
        8: an address in the SDP is private; 16: the port of the top Via is not the one that the message came from.
        Private are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16.
        """
        return 1 if is_behind_nat(run, mask) else -1

    # --- what is repaired -------------------------------------------------------------------------------------

    @script_function(routes=REQUEST_REPLY_BRANCH, effect=Effect.NONE)
    def fix_nated_contact(self, run: Run) -> int:
        """Put where the message came from into its first Contact; -1: there is none, or that was done already."""
        return 1 if contacts.move(run.message, run.edits, source_of(run)) else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def fix_nated_register(self, run: Run) -> int:
        """Put the URI where the request came from into `received_avp`, for `save` of registrar."""
        assert self._received is not None
        self._received.add(run, source_of(run).uri)
        return 1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def add_rcv_param(self, run: Run, in_uri: Annotated[int, NumberKind()] = 0) -> int:
        """Add `received`, the URI where the request came from, to each Contact, or (1) its URI; -1: there is none."""
        return 1 if contacts.add_received(run.message, run.edits, source_of(run), in_uri=bool(in_uri)) else -1

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    def fix_nated_sdp(self, run: Run, flags: Mask, address: Format | None = None) -> int:
        """Change the SDP: the flags are added up. -1: there is none.

        1: add `a=direction:active`; 2: put where the message came from, or an address that is given, into c=; 4: add
        `nortpproxy_str`; 8: put it into o=.
        """
        host = address(run) if address is not None else source_of(run).host
        if not host or any(map(str.isspace, host)):
            return -1
        fixed = sdp.fix(run.message, run.edits, flags, host, self.nortpproxy_str)
        return 1 if fixed else -1

    # --- media that is relayed --------------------------------------------------------------------------------

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    async def force_rtp_proxy(
        self,
        run: Run,
        options: Annotated[Options, OptionsKind()] = NO_OPTIONS,
        address: Format | None = None,
    ) -> int:
        """Let the media go by an rtpproxy; -1: it cannot, it does already, or there is no SDP.

        Flags: a, w asymmetric, symmetric; i, e internal, external side; r the addresses in the SDP can be trusted; l
        only where the session is known; s the reply makes the offer; f also where it is relayed already; o change o=
        too; c has no effect. The address is said in place of the rtpproxy's.
        """
        host = address(run) if address is not None else ""
        if any(map(str.isspace, host)):
            return -1
        done = await relay(run, options, host, self.nortpproxy_str, partial(self._ask, run))
        return 1 if done else -1

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    async def unforce_rtp_proxy(self, run: Run) -> int:
        """The call is over, and with it what is relayed; -1: nobody answers."""
        return await self._tell(run, rtpproxy.delete)

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    async def start_recording(self, run: Run) -> int:
        """Let the rtpproxy write the media of the call to files; -1: nobody answers."""
        return await self._tell(run, rtpproxy.record)

    @script_function(routes=ANYWHERE, effect=Effect.NONE)
    def set_rtp_proxy_set(self, run: Run, set_id: Annotated[int, NumberKind(0)]) -> int:
        """Use the rtpproxies of this set for the message and its replies, instead of set 0; -1: there is none."""
        run.state.notes[RELAYS] = set_id
        return 1 if any(each.written.set_id == set_id for each in self._relays) else -1

    async def _tell(self, run: Run, write: Callable[[Session], str]) -> int:
        session = rtpproxy.session_of(run.message)
        if not session.can_be_told:
            return -1
        reply = await self._ask(run, session.call_id, write(session))
        return -1 if reply is None or reply.startswith("E") else 1

    async def _ask(self, run: Run, call_id: str, command: str) -> str | None:
        try:
            run.hold()
        except Overloaded:
            return None
        return await self._relays.ask(_set_of(run), call_id, command)

    # --- management commands ----------------------------------------------------------------------------------

    @mi_command("nh_enable_ping")
    def nh_enable_ping(self, on: int) -> None:
        """Go on with pings, or (0) leave them out."""
        if not self.natping_interval or self._pinger is None:
            raise MiError(400, "NATping disabled from script")
        self._pinger.is_on = bool(on)

    @mi_command("nh_enable_rtpp")
    def nh_enable_rtpp(self, url: str, on: int) -> None:
        """Use the rtpproxy of a URL again, or (0) no more."""
        if not self._relays.switch(url, on=bool(on)):
            raise MiError(404, "RTP proxy not found")

    @mi_command("nh_show_rtpp")
    def nh_show_rtpp(self) -> Reply:
        """All rtpproxies: their sets, whether they are left alone, their weights, and for how many seconds still."""
        reply = Reply()
        for index, each in enumerate(self._relays):
            rest = self._relays.rest_of(each)
            node = reply.add(each.written.url, "", set=str(each.written.set_id))
            node.add("index", str(index))
            node.add("disabled", "1" if rest else "0")
            node.add("weight", str(each.written.weight))
            node.add("recheck_ticks", "0" if rest == inf else str(ceil(rest)))
        return reply


def _set_of(run: Run) -> int:
    """The set of rtpproxies that the script has chosen for a message, or for the request that it answers."""
    context = context_of(run)
    for state in (run.state, *((context.state,) if context is not None else ())):
        if RELAYS in state.notes:
            return int(state.notes[RELAYS])
    return 0

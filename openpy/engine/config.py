"""The core parameters: one table of every name that 1.3 knows, what it takes and what becomes of it.

Rules:
1. A name that is not in the table, and a value of the wrong type, stop the start.
2. `effect` says what happens: USED; NONE (accepted: openpy has no use for it, so that scripts run unchanged);
   REFUSED (it would promise security that is not built: an error unless its value asks for nothing).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from openpy.script.diagnostics import Diagnostic, did_you_mean, error
from openpy.script.dialects import PARAMETERS
from openpy.script.syntax import CoreParameter, Name, Number, Position, SocketId, String


class Takes(Enum):
    """The kinds of value; the text is for messages."""

    NUMBER = "a number or yes/no"
    STRING = "a quoted string"
    WORD = "a bare word"
    STRING_OR_WORD = "a string or a bare word"
    NUMBER_OR_WORD = "a number or a bare word"
    HOST = "an address or a host name"
    SOCKETS = "a list of [proto:]host[:port]"


class Effect(Enum):
    """What openpy does with a parameter."""

    USED = "used"
    NONE = "accepted, without effect"
    REFUSED = "refused: not built"


@dataclass(frozen=True, slots=True)
class CoreParameterSpec:
    """One core parameter."""

    name: str
    takes: Takes
    default: int | str | None
    doc: str
    effect: Effect = Effect.USED
    aliases: tuple[str, ...] = ()
    harmless: tuple[int, ...] = ()  # values of a REFUSED parameter that ask for nothing
    limit: bool = False  # it bounds what strangers can make the server hold or do: see docs/limits.md


N, S, W, SW, NW = Takes.NUMBER, Takes.STRING, Takes.WORD, Takes.STRING_OR_WORD, Takes.NUMBER_OR_WORD
NONE, REFUSED = Effect.NONE, Effect.REFUSED

CORE_PARAMETERS: tuple[CoreParameterSpec, ...] = (
    CoreParameterSpec("debug", N, 2, "Log level: -3 alert ... 2 notice, 3 info, 4 debug"),
    CoreParameterSpec("fork", N, 1, "openpy stays in the foreground; --daemon detaches", NONE),
    CoreParameterSpec("log_stderror", N, None, "Log to stderr; `no` sends lines to /dev/log where it exists"),
    CoreParameterSpec("log_facility", W, "LOG_DAEMON", "Syslog facility"),
    CoreParameterSpec("log_name", S, "openpy", "Syslog tag"),
    CoreParameterSpec("children", N, 8, "UDP workers of 1.3", NONE),
    CoreParameterSpec("tcp_children", N, None, "TCP workers of 1.3", NONE),
    CoreParameterSpec("disable_tcp", N, 0, "Open no TCP sockets"),
    CoreParameterSpec("listen", Takes.SOCKETS, None, "Sockets; repeatable", aliases=("socket",)),
    CoreParameterSpec("port", N, 5060, "Port of sockets that give none"),
    CoreParameterSpec("alias", Takes.SOCKETS, None, "Further names that count as myself; repeatable"),
    CoreParameterSpec("auto_aliases", N, 1, "Reverse DNS names as aliases: not looked up", NONE),
    CoreParameterSpec(
        "advertised_address",
        Takes.HOST,
        None,
        "Host put in Via and Contact",
    ),
    CoreParameterSpec("advertised_port", N, None, "Port put in Via and Contact"),
    CoreParameterSpec("mhomed", N, 0, "Interface by destination: the system chooses", NONE),
    CoreParameterSpec("check_via", N, 0, "Drop replies whose first Via is not ours"),
    CoreParameterSpec("reply_to_via", N, 0, "Answer to the Via address instead of the source"),
    CoreParameterSpec("dns", N, 0, "DNS for `received`: not used", NONE),
    CoreParameterSpec("rev_dns", N, 0, "Reverse DNS for `received`: not used", NONE),
    CoreParameterSpec("dns_try_ipv6", N, 0, "AAAA after A", NONE),
    CoreParameterSpec("dns_retr_time", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_retr_no", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_servers_no", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_use_search_list", N, None, "Resolver search list", NONE),
    CoreParameterSpec("dns_timeout", N, 4, "Longest wait for the addresses of a name, seconds", limit=True),
    CoreParameterSpec(
        "dns_cache", N, 30, "Seconds that they are kept; that there are none: 5 at most", limit=True
    ),
    CoreParameterSpec("dns_queue", N, 256, "Names that may wait while 8 others are looked up", limit=True),
    CoreParameterSpec("disable_dns_failover", N, 0, "No further DNS targets", NONE),
    CoreParameterSpec(
        "disable_dns_blacklist",
        N,
        1,
        "no: what a name led to and failed gets nothing for 4 minutes",
    ),
    CoreParameterSpec("sip_warning", N, 0, "Warning header in local replies"),
    CoreParameterSpec("server_signature", N, 1, "Server header in local replies"),
    CoreParameterSpec("server_header", S, None, "The whole Server header line"),
    CoreParameterSpec("user_agent_header", S, None, "User-Agent of our requests: they carry none", NONE),
    CoreParameterSpec("user", SW, None, "Run as this user", aliases=("uid",)),
    CoreParameterSpec("group", SW, None, "Run as this group", aliases=("gid",)),
    CoreParameterSpec("chroot", SW, None, "Change the root directory"),
    CoreParameterSpec("workdir", SW, None, "Working directory", aliases=("wdir",)),
    CoreParameterSpec(
        "mpath", S, None, "Where loadmodule looks for modules of one's own", aliases=("loadpath",)
    ),
    CoreParameterSpec("maxbuffer", N, 4194304, "Receive buffer of UDP sockets, bytes", limit=True),
    CoreParameterSpec(
        "overload_delay", N, 200, "Longest wait of a request, ms; 0: nothing is refused", limit=True
    ),
    CoreParameterSpec(
        "overload_refusals", N, 1000, "503 a second under overload; the rest is dropped", limit=True
    ),
    CoreParameterSpec("overload_retry_after", N, 5, "Retry-After of these 503, seconds; up to twice that"),
    CoreParameterSpec(
        "overload_backlog", N, 4194304, "Octets that wait under overload, of each kind", limit=True
    ),
    CoreParameterSpec("source_rate", N, 0, "Requests a second from one address; 0: no limit", limit=True),
    CoreParameterSpec("memlog", N, 4, "Memory dumps of 1.3", NONE, aliases=("mem_log",)),
    CoreParameterSpec("disable_core_dump", N, 0, "Core dumps of 1.3", NONE),
    CoreParameterSpec("open_files_limit", N, -1, "Limit of open files", limit=True),
    CoreParameterSpec("tos", NW, "IPTOS_LOWDELAY", "IP type of service of UDP sockets"),
    CoreParameterSpec("mcast_loopback", N, 0, "Multicast", NONE),
    CoreParameterSpec("mcast_ttl", N, -1, "Multicast", NONE),
    CoreParameterSpec("avp_aliases", S, None, "Short AVP names: `name=s:x;other=i:7`"),
    CoreParameterSpec("max_while_loops", N, 100, "Iterations of one while", limit=True),
    CoreParameterSpec(
        "tcp_accept_aliases",
        N,
        0,
        "1: a connection serves for the port of a Via with `;alias`",
    ),
    CoreParameterSpec(
        "tcp_send_timeout", N, 10, "Seconds until a peer must have taken what was sent", limit=True
    ),
    CoreParameterSpec("tcp_connect_timeout", N, 10, "Seconds until a connection must be up", limit=True),
    CoreParameterSpec(
        "tcp_connection_lifetime", N, 120, "Seconds of silence until a connection is closed", limit=True
    ),
    CoreParameterSpec(
        "tcp_max_msg_time", N, 10, "Seconds from the begin of a message to its end", limit=True
    ),
    CoreParameterSpec(
        "tcp_max_connections",
        N,
        2048,
        "Connections at most; then idle ones give way to new ones",
        limit=True,
    ),
    CoreParameterSpec(
        "tcp_max_source_connections", N, 0, "Connections from one address; 0: no limit", limit=True
    ),
    CoreParameterSpec(
        "tcp_max_message", N, 262144, "Octets of a message on a connection; more: 513", limit=True
    ),
    CoreParameterSpec("tcp_send_buffer", N, 4194304, "Octets that a peer may leave unread", limit=True),
    CoreParameterSpec("tcp_buffers", N, 67108864, "Octets that all connections hold, each way", limit=True),
    CoreParameterSpec("max_head", N, 65535, "Octets of a message without its body; more: 513", limit=True),
    CoreParameterSpec(
        "max_headers", N, 256, "Header lines, and values of one Via, Route or Contact; more: 400", limit=True
    ),
    CoreParameterSpec("max_uri", N, 4096, "Characters of a Request-URI; more: 414", limit=True),
    CoreParameterSpec(
        "udp_send_queue", N, 20000, "Datagrams that wait for the kernel; more are dropped", limit=True
    ),
    CoreParameterSpec("udp_flows", N, 65536, "Peers that a UDP socket remembers", limit=True),
    CoreParameterSpec("tcp_poll_method", SW, None, "Poll method of 1.3", NONE),
    CoreParameterSpec("disable_tls", N, 1, "TLS is not built yet", REFUSED, harmless=(1,)),
    CoreParameterSpec("tlslog", N, None, "TLS log level", REFUSED, aliases=("tls_log",)),
    CoreParameterSpec("tls_port_no", N, 5061, "TLS port", REFUSED),
    CoreParameterSpec("tls_method", W, None, "TLS method", REFUSED),
    CoreParameterSpec("tls_verify_client", N, 1, "TLS verification", REFUSED),
    CoreParameterSpec("tls_verify_server", N, 1, "TLS verification", REFUSED),
    CoreParameterSpec("tls_require_client_certificate", N, 1, "TLS verification", REFUSED),
    CoreParameterSpec("tls_certificate", S, None, "TLS certificate", REFUSED),
    CoreParameterSpec("tls_private_key", S, None, "TLS key", REFUSED),
    CoreParameterSpec("tls_ca_list", S, None, "TLS certificate authorities", REFUSED),
    CoreParameterSpec("tls_ciphers_list", S, None, "TLS ciphers", REFUSED),
    CoreParameterSpec("tls_handshake_timeout", N, 30, "TLS timing", REFUSED),
    CoreParameterSpec("tls_send_timeout", N, 30, "TLS timing", REFUSED),
    CoreParameterSpec("tls_client_domain_avp", N, 0, "TLS client domain", REFUSED),
)

_BY_NAME = {name: spec for spec in CORE_PARAMETERS for name in (spec.name, *spec.aliases)}

FACILITIES = {
    "LOG_KERN": 0, "LOG_USER": 1, "LOG_MAIL": 2, "LOG_DAEMON": 3, "LOG_AUTH": 4, "LOG_SYSLOG": 5,
    "LOG_LPR": 6, "LOG_NEWS": 7, "LOG_UUCP": 8, "LOG_CRON": 9, "LOG_AUTHPRIV": 10, "LOG_FTP": 11,
    **{f"LOG_LOCAL{n}": 16 + n for n in range(8)},
}  # fmt: skip

TYPES_OF_SERVICE = {
    "IPTOS_LOWDELAY": 0x10,
    "IPTOS_THROUGHPUT": 0x08,
    "IPTOS_RELIABILITY": 0x04,
    "IPTOS_MINCOST": 0x02,
}

OTHER_TRANSPORT = "this version listens on udp and tcp only"

_WORDS = {"log_facility": FACILITIES, "tos": TYPES_OF_SERVICE}


@dataclass(slots=True)
class CoreConfig:
    """The values of the core parameters, after defaults, the file and the command line."""

    values: dict[str, int | str | None] = field(
        default_factory=lambda: {spec.name: spec.default for spec in CORE_PARAMETERS}
    )
    listen: list[SocketId] = field(default_factory=list)
    aliases: list[SocketId] = field(default_factory=list)

    def number(self, name: str) -> int:
        """A numeric parameter; 0 where it is unset."""
        value = self.values[name]
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A text parameter; "" where it is unset."""
        value = self.values[name]
        return value if isinstance(value, str) else ""

    def apply(self, statement: CoreParameter) -> Diagnostic | None:
        """Take over one `name = value` of the script; the diagnostic says why not."""
        spec = _BY_NAME.get(statement.name)
        if spec is None:
            hint = PARAMETERS.get(statement.name) or did_you_mean(statement.name, _BY_NAME)
            hint = hint or "see docs/core-parameters.md for all names"
            return error(statement.position, f'unknown core parameter "{statement.name}"', hint)
        if spec.takes is Takes.SOCKETS:
            return self._add_sockets(spec, statement)
        value = _typed_value(spec, statement)
        if isinstance(value, Diagnostic):
            return value
        if spec.effect is Effect.REFUSED and value not in spec.harmless:
            return tls_refused(statement.position, statement.name)
        self.values[spec.name] = value
        return None

    def _add_sockets(self, spec: CoreParameterSpec, statement: CoreParameter) -> Diagnostic | None:
        if spec.name == "alias":
            self.aliases.extend(statement.sockets)
            return None
        for entry in statement.sockets:
            if entry.protocol not in (None, "any", "udp", "tcp"):
                return error(entry.position, f"listen={entry.protocol}:{entry.host}: {OTHER_TRANSPORT}")
        self.listen.extend(statement.sockets)
        return None


def tls_refused(position: Position, name: str) -> Diagnostic:
    """The error for what would promise TLS."""
    return error(
        position,
        f"{name}: TLS is not built into this version, and nothing that promises security is ignored",
        "remove the line, or put a TLS proxy in front",
    )


def _typed_value(spec: CoreParameterSpec, statement: CoreParameter) -> int | str | Diagnostic:
    """The value of a statement if its type is right, else what is wrong with it."""
    written = statement.value
    takes_number = spec.takes in (Takes.NUMBER, Takes.NUMBER_OR_WORD)
    takes_string = spec.takes in (Takes.STRING, Takes.STRING_OR_WORD, Takes.HOST)
    takes_word = spec.takes in (Takes.WORD, Takes.STRING_OR_WORD, Takes.NUMBER_OR_WORD, Takes.HOST)
    if isinstance(written, Number) and takes_number:
        return written.value
    if isinstance(written, String) and takes_string:
        return written.value
    if isinstance(written, Name) and takes_word:
        words = _WORDS.get(spec.name)
        if words is not None and written.text not in words:
            hint = did_you_mean(written.text, words) or f"one of {', '.join(words)}"
            return error(statement.position, f'{statement.name}: "{written.text}" is not known', hint)
        return written.text
    return error(statement.position, f"{statement.name} takes {spec.takes.value}")

"""The core parameters: one table of every name that 1.3 knows, what it takes and what becomes of it.

Rules:
1. A name that is not in the table, and a value of the wrong type, stop the start.
2. `effect` says what happens: USED; NONE (accepted: openpy has no use for it, so that scripts run unchanged).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from importlib.util import find_spec

from openpy.script.diagnostics import Diagnostic, did_you_mean, error
from openpy.script.dialects import PARAMETERS
from openpy.script.rules import settings
from openpy.script.syntax import CoreParameter, Name, Number, Position, SocketId, String
from openpy.sip.grammar import HOST


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


@dataclass(frozen=True, slots=True)
class CoreParameterSpec:
    """One core parameter."""

    name: str
    takes: Takes
    default: int | str | None
    doc: str
    effect: Effect = Effect.USED
    aliases: tuple[str, ...] = ()
    limit: bool = False  # it bounds what strangers can make the server hold or do: see docs/limits.md
    reload: bool = False  # a new value counts in a server that runs

    @property
    def needs_restart(self) -> bool:
        """Whether a new value counts only in a server that is started anew; what has no effect needs none."""
        return self.effect is Effect.USED and not self.reload


N, S, W, SW, NW = Takes.NUMBER, Takes.STRING, Takes.WORD, Takes.STRING_OR_WORD, Takes.NUMBER_OR_WORD
NONE = Effect.NONE

CORE_PARAMETERS: tuple[CoreParameterSpec, ...] = (
    CoreParameterSpec("debug", N, 2, "Log level: -3 alert ... 2 notice, 3 info, 4 debug", reload=True),
    CoreParameterSpec("fork", N, 1, "openpy stays in the foreground; --daemon detaches", NONE),
    CoreParameterSpec("log_stderror", N, None, "Log to stderr; `no` sends lines to /dev/log where it exists"),
    CoreParameterSpec("log_facility", W, "LOG_DAEMON", "Syslog facility"),
    CoreParameterSpec("log_name", S, "openpy", "Syslog tag"),
    CoreParameterSpec("children", N, 8, "UDP workers of 1.3", NONE),
    CoreParameterSpec("tcp_children", N, None, "TCP workers of 1.3", NONE),
    CoreParameterSpec("disable_tcp", N, 0, "Open no TCP sockets"),
    CoreParameterSpec("listen", Takes.SOCKETS, None, "Sockets; repeatable", aliases=("socket",)),
    CoreParameterSpec("port", N, 5060, "Port of sockets that give none"),
    CoreParameterSpec(
        "alias", Takes.SOCKETS, None, "Further names that count as myself; repeatable", reload=True
    ),
    CoreParameterSpec("auto_aliases", N, 1, "Reverse DNS names as aliases: not looked up", NONE),
    CoreParameterSpec("advertised_address", Takes.HOST, None, "Host put in Via and Contact", reload=True),
    CoreParameterSpec("advertised_port", N, None, "Port put in Via and Contact", reload=True),
    CoreParameterSpec("mhomed", N, 0, "Interface by destination: the system chooses", NONE),
    CoreParameterSpec("check_via", N, 0, "Drop replies whose first Via is not ours", reload=True),
    CoreParameterSpec("reply_to_via", N, 0, "Answer to the Via address instead of the source", reload=True),
    CoreParameterSpec("dns", N, 0, "DNS for `received`: not used", NONE),
    CoreParameterSpec("rev_dns", N, 0, "Reverse DNS for `received`: not used", NONE),
    CoreParameterSpec("dns_try_ipv6", N, 0, "AAAA after A", NONE),
    CoreParameterSpec("dns_retr_time", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_retr_no", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_servers_no", N, None, "Resolver timing", NONE),
    CoreParameterSpec("dns_use_search_list", N, None, "Resolver search list", NONE),
    CoreParameterSpec(
        "dns_timeout", N, 4, "Longest wait for the addresses of a name, seconds", limit=True, reload=True
    ),
    CoreParameterSpec(
        "dns_cache",
        N,
        30,
        "Seconds that they are kept; that there are none: 5 at most",
        limit=True,
        reload=True,
    ),
    CoreParameterSpec(
        "dns_queue", N, 256, "Names that may wait while 8 others are looked up", limit=True, reload=True
    ),
    CoreParameterSpec(
        "disable_dns_failover", N, 0, "1: only the first address of a name is tried", reload=True
    ),
    CoreParameterSpec(
        "disable_dns_blacklist",
        N,
        1,
        "no: what a name led to and failed gets nothing for 4 minutes",
        reload=True,
    ),
    CoreParameterSpec("sip_warning", N, 0, "Warning header in local replies", reload=True),
    CoreParameterSpec("server_signature", N, 1, "Server header in local replies", reload=True),
    CoreParameterSpec("server_header", S, None, "The whole Server header line", reload=True),
    CoreParameterSpec(
        "user_agent_header",
        S,
        None,
        "The whole User-Agent line of requests that tm sends itself; unset: none",
        reload=True,
    ),
    CoreParameterSpec("user", SW, None, "Run as this user", aliases=("uid",)),
    CoreParameterSpec("group", SW, None, "Run as this group", aliases=("gid",)),
    CoreParameterSpec("chroot", SW, None, "Change the root directory"),
    CoreParameterSpec("workdir", SW, None, "Working directory", aliases=("wdir",)),
    CoreParameterSpec(
        "mpath",
        S,
        None,
        "Where loadmodule looks for modules of one's own",
        aliases=("loadpath",),
        reload=True,
    ),
    CoreParameterSpec("maxbuffer", N, 4194304, "Receive buffer of UDP sockets, bytes", limit=True),
    CoreParameterSpec(
        "overload_delay", N, 200, "Longest wait of a request, ms; 0: nothing is refused", limit=True
    ),
    CoreParameterSpec(
        "overload_refusals", N, 1000, "503 a second under overload; the rest is dropped", limit=True
    ),
    CoreParameterSpec(
        "overload_retry_after", N, 5, "Retry-After of these 503, seconds; up to twice that", reload=True
    ),
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
    CoreParameterSpec("avp_aliases", S, None, "Short AVP names: `name=s:x;other=i:7`", reload=True),
    CoreParameterSpec("max_while_loops", N, 100, "Iterations of one while", limit=True, reload=True),
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
        "max_headers",
        N,
        256,
        "Header lines, and values of one Via, Route or Contact; more: 400",
        limit=True,
        reload=True,
    ),
    CoreParameterSpec("max_uri", N, 4096, "Characters of a Request-URI; more: 414", limit=True, reload=True),
    CoreParameterSpec(
        "udp_send_queue", N, 20000, "Datagrams that wait for the kernel; more are dropped", limit=True
    ),
    CoreParameterSpec("udp_flows", N, 65536, "Peers that a UDP socket remembers", limit=True),
    CoreParameterSpec("tcp_poll_method", SW, None, "Poll method of 1.3", NONE),
    CoreParameterSpec(
        "disable_tls",
        N,
        None,
        "no: sockets that name no protocol open TLS too; yes: no TLS sockets; unset: those that `listen` names",
    ),
    CoreParameterSpec("tlslog", N, None, "TLS log level: see `debug`", NONE, aliases=("tls_log",)),
    CoreParameterSpec("tls_port_no", N, 5061, "Port of TLS sockets that give none"),
    CoreParameterSpec(
        "tls_method", W, "SSLv23", "SSLv23: TLS 1.2 or later; or TLSv1_2, TLSv1_3", reload=True
    ),
    CoreParameterSpec("tls_verify_client", N, 1, "Check the certificates that clients show", reload=True),
    CoreParameterSpec(
        "tls_verify_server", N, 1, "Check the certificates of servers, and their names", reload=True
    ),
    CoreParameterSpec(
        "tls_require_client_certificate",
        N,
        None,
        "Refuse clients that show none, where they are checked; unset: yes by tls, no by wss",
        reload=True,
    ),
    CoreParameterSpec(
        "tls_certificate",
        S,
        None,
        "Our certificate, and those between it and the root: a PEM file",
        reload=True,
    ),
    CoreParameterSpec(
        "tls_private_key", S, None, "Its key, a PEM file; unset: it is in the same file", reload=True
    ),
    CoreParameterSpec(
        "tls_ca_list",
        S,
        None,
        "Authorities that certificates are checked with; unset: the system's, for servers only",
        reload=True,
    ),
    CoreParameterSpec(
        "tls_ciphers_list",
        S,
        None,
        "Ciphers of TLS 1.2 in OpenSSL's words; unset: OpenSSL's choice",
        reload=True,
    ),
    CoreParameterSpec(
        "tls_handshake_timeout",
        N,
        30,
        "Seconds until a handshake of TLS or WebSocket must be over",
        limit=True,
    ),
    CoreParameterSpec(
        "tls_send_timeout", N, 30, "Seconds until a peer by TLS must have taken what was sent", limit=True
    ),
    CoreParameterSpec(
        "tls_client_domain_avp", N, 0, "Number of the AVP that names the client domain; 0: none", reload=True
    ),
    CoreParameterSpec("ws_path", S, None, "Path of WebSocket URLs; unset: any"),
    CoreParameterSpec(
        "ws_origins", S, None, "Origins of web pages that may connect, with blanks between; unset: any"
    ),
    CoreParameterSpec(
        "udp_mtu",
        N,
        1300,
        "Octets beyond which a request goes by TCP where its URI names no transport; 0: never",
    ),
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

LISTENED = ("udp", "tcp", "tls", "ws", "wss")

OTHER_TRANSPORT = f"this version listens on {', '.join(LISTENED)} only"

LAST_PORT = 65535

_PORTS = ("port", "tls_port_no", "advertised_port")

_WORDS = {"log_facility": FACILITIES, "tos": TYPES_OF_SERVICE}


@dataclass(slots=True)
class CoreConfig:
    """The values of the core parameters, after defaults, the file and the command line."""

    values: dict[str, int | str | None] = field(
        default_factory=lambda: {spec.name: spec.default for spec in CORE_PARAMETERS}
    )
    listen: list[SocketId] = field(default_factory=list)
    aliases: list[SocketId] = field(default_factory=list)
    places: dict[str, Position] = field(default_factory=dict)
    """Where the file sets a parameter, if it does."""
    reads_files: bool = True
    """Whether the files that parameters name are read when the script is loaded."""

    def copy(self) -> CoreConfig:
        """The same values, to be changed."""
        return CoreConfig(dict(self.values), list(self.listen), list(self.aliases))

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
            message = f'unknown core parameter "{statement.name}"'
            return error(settings.UNKNOWN_PARAMETER, statement.position, message, hint)
        if spec.takes is Takes.SOCKETS:
            return self._add_sockets(spec, statement)
        value = _typed_value(spec, statement)
        if isinstance(value, Diagnostic):
            return value
        self.values[spec.name] = value
        self.places[spec.name] = statement.position
        return None

    def _add_sockets(self, spec: CoreParameterSpec, statement: CoreParameter) -> Diagnostic | None:
        if spec.name == "alias":
            self.aliases.extend(statement.sockets)
            return None
        for entry in statement.sockets:
            if entry.protocol not in (None, "any", *LISTENED):
                message = f"listen={entry.protocol}:{entry.host}: {OTHER_TRANSPORT}"
                return error(settings.NOT_BUILT, entry.position, message)
            if entry.protocol in ("ws", "wss") and find_spec("wsproto") is None:
                text = f"listen={entry.protocol}:{entry.host}: the library for WebSocket is not installed"
                return error(settings.NOT_BUILT, entry.position, text, 'pip install "openpy[ws]"')
        self.listen.extend(statement.sockets)
        return None


def _typed_value(spec: CoreParameterSpec, statement: CoreParameter) -> int | str | Diagnostic:
    """The value of a statement if its type is right, else what is wrong with it."""
    written = statement.value
    takes_number = spec.takes in (Takes.NUMBER, Takes.NUMBER_OR_WORD)
    takes_string = spec.takes in (Takes.STRING, Takes.STRING_OR_WORD, Takes.HOST)
    takes_word = spec.takes in (Takes.WORD, Takes.STRING_OR_WORD, Takes.NUMBER_OR_WORD, Takes.HOST)
    if isinstance(written, Number) and takes_number:
        if spec.name in _PORTS and not 0 <= written.value <= LAST_PORT:
            message = f"{statement.name}: {written.value} is no port"
            hint = f"a port is a number up to {LAST_PORT}"
            return error(settings.BAD_VALUE, statement.position, message, hint)
        return written.value
    if isinstance(written, String) and takes_string:
        if spec.takes is Takes.HOST and written.value and not _is_host(written.value):
            message = f'{statement.name}: "{written.value}" is no host'
            return error(settings.BAD_VALUE, statement.position, message, f"it takes {spec.takes.value}")
        return written.value
    if isinstance(written, Name) and takes_word:
        words = _WORDS.get(spec.name)
        if words is not None and written.text not in words:
            hint = did_you_mean(written.text, words) or f"one of {', '.join(words)}"
            message = f'{statement.name}: "{written.text}" is not known'
            return error(settings.BAD_VALUE, statement.position, message, hint)
        return written.text
    return error(settings.BAD_VALUE, statement.position, f"{statement.name} takes {spec.takes.value}")


def _is_host(text: str) -> bool:
    """Whether it may stand in a message as a host; IPv6 needs no brackets here."""
    return HOST.fullmatch(f"[{text}]" if ":" in text and not text.startswith("[") else text) is not None

"""The pseudo-variables of the core: message, header, address, time (openser 1.3 core, `pvar`).

Each entry of `PSEUDO_VARIABLES` is the declaration that the checker, the compiler and the docs read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from openpy.engine.operands import PROTOCOLS
from openpy.engine.run import Branch, Run
from openpy.engine.variables import VARIABLES
from openpy.script.environment import ArgumentError, Getter, Index, Inner, PseudoVariableSpec, Setter
from openpy.script.values import Dual, Value
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, canonical_name, parse_name_addr
from openpy.sip.message import Request, Response
from openpy.sip.uri import Uri, cached_uri

METHOD_IDS = {
    "INVITE": 1, "CANCEL": 2, "ACK": 4, "BYE": 8, "INFO": 16, "OPTIONS": 32, "UPDATE": 64, "REGISTER": 128,
    "MESSAGE": 256, "SUBSCRIBE": 512, "NOTIFY": 1024, "PRACK": 2048, "REFER": 4096, "PUBLISH": 8192,
}  # fmt: skip
OTHER_METHOD = 16384


def _uri_of(text: str) -> Uri | None:
    try:
        return cached_uri(text) if text else None
    except RemoteError:
        return None


def _user(uri: Uri | None) -> Value:
    return uri.user or None if uri is not None else None


def _host(uri: Uri | None) -> Value:
    return uri.host or None if uri is not None else None


def _port(uri: Uri | None) -> Value:
    if uri is None:
        return None
    port = uri.port or 5060
    return Dual(str(port), port)


def _transport(uri: Uri | None) -> Value:
    if uri is None:
        return None
    name = (uri.param("transport") or "UDP").lower()
    return Dual(uri.param("transport") or "UDP", PROTOCOLS.get(name, 0))


def _received_uri(run: Run) -> str:
    return run.message.uri if isinstance(run.message, Request) else ""


def _number(value: int) -> Dual:
    return Dual(str(value), value)


def _hexadecimal(value: int) -> Dual:
    return Dual(f"{value:08X}", value)


def _address(read: Callable[[Run], NameAddr], part: Callable[[NameAddr], Value]) -> Getter:
    """A part of From or To; NULL where the header cannot be parsed."""

    def get(run: Run) -> Value:
        try:
            return part(read(run))
        except RemoteError:
            return None

    return get


def _header_address(header: str, part: Callable[[NameAddr], Value]) -> Getter:
    """A part of a name-addr header such as P-Asserted-Identity."""

    def get(run: Run) -> Value:
        text = run.message.get(header)
        try:
            return part(parse_name_addr(text)) if text else None
        except RemoteError:
            return None

    return get


def _header(name: str) -> Getter:
    return lambda run: run.message.get(name)


def _method(run: Run) -> Value:
    try:
        method = run.message.method if isinstance(run.message, Request) else run.message.cseq.method
    except RemoteError:
        return None
    return Dual(method, METHOD_IDS.get(method, OTHER_METHOD))


def _cseq(run: Run) -> Value:
    try:
        return str(run.message.cseq.number)
    except RemoteError:
        return None


def _body(run: Run) -> Value:
    return run.message.body.decode("utf-8", "surrogateescape") or None


def _content_length(run: Run) -> Value:
    text = run.message.get("Content-Length")
    return _number(int(text)) if text and text.isascii() and text.isdigit() else None


def _parts(prefix: str, uri: Callable[[Run], str]) -> dict[str, Getter]:
    """`$ru`-like families: user, domain, port and transport of one URI."""
    return {
        prefix + "U": lambda run: _user(_uri_of(uri(run))),
        prefix + "d": lambda run: _host(_uri_of(uri(run))),
        prefix + "p": lambda run: _port(_uri_of(uri(run))),
        prefix + "P": lambda run: _transport(_uri_of(uri(run))),
    }


def _identity(prefix: str, long: str, read: Callable[[Run], NameAddr]) -> dict[str, Getter]:
    """The From and To families."""
    uri = _address(read, lambda address: address.uri_text or None)
    user = _address(read, lambda address: _user(address.uri))
    host = _address(read, lambda address: _host(address.uri))
    return {
        prefix + "u": uri,
        prefix + "U": user,
        prefix + "d": host,
        prefix + "t": _address(read, lambda address: address.tag or None),
        prefix + "n": _address(read, lambda address: address.display or None),
        long: uri,
        f"{long}.user": user,
        f"{long}.domain": host,
    }


_SIMPLE: dict[str, Getter] = {
    "ru": lambda run: run.uri or None,
    **_parts("r", lambda run: run.uri),
    "ou": lambda run: _received_uri(run) or None,
    "ouri": lambda run: _received_uri(run) or None,
    **_parts("o", _received_uri),
    "rm": _method,
    "rs": lambda run: run.message.status if isinstance(run.message, Response) else None,
    "rr": lambda run: run.message.reason if isinstance(run.message, Response) else None,
    **_identity("f", "from", lambda run: run.message.from_),
    **_identity("t", "to", lambda run: run.message.to),
    "ci": _header("Call-ID"),
    "cs": _cseq,
    "ct": _header("Contact"),
    "cT": _header("Content-Type"),
    "cl": _content_length,
    "rb": _body,
    "ua": _header("User-Agent"),
    "mb": lambda run: run.message.raw.decode("utf-8", "surrogateescape"),
    "ml": lambda run: _number(len(run.message.raw)),
    "mi": lambda run: run.server.messages_received,
    "mf": lambda run: _number(run.state.flags),
    "mF": lambda run: _hexadecimal(run.state.flags),
    "bf": lambda run: _number(run.state.branch_flags),
    "bF": lambda run: _hexadecimal(run.state.branch_flags),
    "sf": lambda run: _number(run.script_flags),
    "sF": lambda run: _hexadecimal(run.script_flags),
    "si": lambda run: run.flow.host,
    "src_ip": lambda run: run.flow.host,
    "sp": lambda run: _number(run.flow.port),
    "Ri": lambda run: run.flow.local_host,
    "Rp": lambda run: _number(run.flow.local_port),
    "pr": lambda run: Dual(run.flow.transport.upper(), PROTOCOLS[run.flow.transport]),
    "proto": lambda run: Dual(run.flow.transport.upper(), PROTOCOLS[run.flow.transport]),
    "dd": lambda run: _host(_uri_of(run.state.destination_uri)),
    "dp": lambda run: _port(_uri_of(run.state.destination_uri)),
    "dP": lambda run: _transport(_uri_of(run.state.destination_uri)),
    "ds": lambda run: run.destination_set() or None,
    "bR": lambda run: ", ".join(run.branch_list()) or None,
    "ai": _header_address("P-Asserted-Identity", lambda address: address.uri_text or None),
    "pu": _header_address("P-Preferred-Identity", lambda address: address.uri_text or None),
    "pU": _header_address("P-Preferred-Identity", lambda address: _user(address.uri)),
    "pd": _header_address("P-Preferred-Identity", lambda address: _host(address.uri)),
    "pn": _header_address("P-Preferred-Identity", lambda address: address.display or None),
    "re": _header_address("Remote-Party-ID", lambda address: address.uri_text or None),
    "rt": _header_address("Refer-To", lambda address: address.uri_text or None),
    "di": _header_address("Diversion", lambda address: address.uri_text or None),
    "rc": lambda run: run.rc,
    "retcode": lambda run: run.rc,
    "pp": lambda run: os.getpid(),
    "Ts": lambda run: int(run.server.clock.wall()),
    "Tf": lambda run: Dual(time.ctime(run.server.clock.wall()), int(run.server.clock.wall())),
}


# --- what scripts may assign --------------------------------------------------------------------------------


def _set_uri(run: Run, value: Value, operator: str) -> bool:
    if not isinstance(value, str):
        return False
    run.state.uri = value
    return True


def _set_uri_user(run: Run, value: Value, operator: str) -> bool:
    uri = _uri_of(run.uri)
    if uri is None or isinstance(value, int):
        return False
    run.state.uri = str(uri.with_user(value))
    return True


def _set_uri_host(run: Run, value: Value, operator: str) -> bool:
    uri = _uri_of(run.uri)
    if uri is None or not isinstance(value, str):
        return False
    run.state.uri = str(uri.with_host(value, uri.port))
    return True


def _set_destination(run: Run, value: Value, operator: str) -> bool:
    if isinstance(value, int):
        return False
    run.state.destination_uri = value or ""
    return True


def _append_branch(run: Run, value: Value, operator: str) -> bool:
    if not isinstance(value, str):
        return False
    run.state.branches.append(Branch(value))
    return True


def _plain(name: str, getter: Getter, setter: Setter | None = None) -> PseudoVariableSpec:
    def bind(inner: Inner, index: Index) -> Getter:
        return getter

    return PseudoVariableSpec(name, bind, (lambda inner: setter) if setter is not None else None)


# --- $hdr -------------------------------------------------------------------------------------------------------


def _bind_header(inner: Inner, index: Index) -> Getter:
    """`$hdr(name)`, `$(hdr(name)[i])`, `$(hdr(name)[*])`."""
    if inner is None or inner == "":
        raise ArgumentError("$hdr needs the name of a header: $hdr(Event)")
    if isinstance(inner, str) and index is None:
        name = canonical_name(inner)
        return lambda run: run.message.get(name)

    def get(run: Run) -> Value:
        wanted = inner if isinstance(inner, str) else inner(run)
        if not isinstance(wanted, str):
            return None
        position = index(run) if callable(index) else index
        values = run.message.all(canonical_name(wanted))
        if position == "*":
            return ", ".join(values) or None
        if position is None:
            position = 0
        if not isinstance(position, int) or not -len(values) <= position < len(values):
            return None
        return values[position]

    return get


_ASSIGNABLE: dict[str, tuple[Getter, Setter]] = {
    "ru": (_SIMPLE["ru"], _set_uri),
    "ruri": (_SIMPLE["ru"], _set_uri),
    "rU": (_SIMPLE["rU"], _set_uri_user),
    "ruri.user": (_SIMPLE["rU"], _set_uri_user),
    "rd": (_SIMPLE["rd"], _set_uri_host),
    "ruri.domain": (_SIMPLE["rd"], _set_uri_host),
    "du": (lambda run: run.state.destination_uri or None, _set_destination),
    "duri": (lambda run: run.state.destination_uri or None, _set_destination),
    "br": (lambda run: run.state.branches[0].uri if run.state.branches else None, _append_branch),
}

PSEUDO_VARIABLES: dict[str, PseudoVariableSpec] = {
    **{name: _plain(name, getter) for name, getter in _SIMPLE.items()},
    **{name: _plain(name, getter, setter) for name, (getter, setter) in _ASSIGNABLE.items()},
    "hdr": PseudoVariableSpec("hdr", _bind_header, takes_inner=True, takes_index=True),
    **VARIABLES,
}

"""The pseudo-variables of the core: message, header, address, time (openser 1.3 core, `pvar`).

Each entry of `PSEUDO_VARIABLES` is the declaration that the checker, the compiler and the docs read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

from openpy.engine.credentialvars import CREDENTIAL_VARIABLES
from openpy.engine.destinationvars import DESTINATION_VARIABLES
from openpy.engine.run import Run
from openpy.engine.urivars import host_of, number_of, transport_number, user_of
from openpy.engine.variabledocs import VARIABLE_DOCS
from openpy.engine.variables import VARIABLES
from openpy.script.environment import ArgumentError, Getter, Index, Inner, PseudoVariableSpec
from openpy.script.values import Dual, Value
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr, canonical_name, parse_name_addr, split_first
from openpy.sip.message import Request, Response

METHOD_IDS = {
    "INVITE": 1, "CANCEL": 2, "ACK": 4, "BYE": 8, "INFO": 16, "OPTIONS": 32, "UPDATE": 64, "REGISTER": 128,
    "MESSAGE": 256, "SUBSCRIBE": 512, "NOTIFY": 1024, "PRACK": 2048, "REFER": 4096, "PUBLISH": 8192,
}  # fmt: skip
OTHER_METHOD = 16384


def _hexadecimal(value: int) -> Dual:
    return Dual(f"{value:08X}", value)


def _address(header: str, read: Callable[[Run], NameAddr], part: Callable[[NameAddr], Value]) -> Getter:
    """A part of From or To; NULL where the header cannot be parsed."""

    def get(run: Run) -> Value:
        try:
            return part(read(run))
        except RemoteError:
            run.parse_failed(f"{header} header")
            return None

    return get


def _header_address(header: str, part: Callable[[NameAddr], Value]) -> Getter:
    """A part of a name-addr header such as P-Asserted-Identity; of the first where it is a list."""

    def get(run: Run) -> Value:
        text = run.message.get(header)
        try:
            return part(parse_name_addr(split_first(text)[0])) if text else None
        except RemoteError:
            run.parse_failed(f"{header} header")
            return None

    return get


def _header(name: str) -> Getter:
    return lambda run: run.message.get(name)


def _method(run: Run) -> Value:
    try:
        method = run.message.method if isinstance(run.message, Request) else run.message.cseq.method
    except RemoteError:
        run.parse_failed("CSeq header")
        return None
    return Dual(method, METHOD_IDS.get(method, OTHER_METHOD))


def _cseq(run: Run) -> Value:
    try:
        return number_of(run.message.cseq.number)
    except RemoteError:
        run.parse_failed("CSeq header")
        return None


def _body(run: Run) -> Value:
    return run.message.body.decode("utf-8", "surrogateescape") or None


def _content_length(run: Run) -> Value:
    text = run.message.get("Content-Length")
    return number_of(int(text)) if text and text.isascii() and text.isdigit() else None


def _identity(prefix: str, long: str, read: Callable[[Run], NameAddr]) -> dict[str, Getter]:
    """The From and To families."""
    header = long.capitalize()
    uri = _address(header, read, lambda address: address.uri_text or None)
    user = _address(header, read, lambda address: user_of(address.uri))
    host = _address(header, read, lambda address: host_of(address.uri))
    return {
        prefix + "u": uri,
        prefix + "U": user,
        prefix + "d": host,
        prefix + "t": _address(header, read, lambda address: address.tag or None),
        prefix + "n": _address(header, read, lambda address: address.display or None),
        long: uri,
        f"{long}.user": user,
        f"{long}.domain": host,
    }


_SIMPLE: dict[str, Getter] = {
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
    "ml": lambda run: number_of(len(run.message.raw)),
    "mi": lambda run: run.number,
    "mf": lambda run: number_of(run.state.flags),
    "mF": lambda run: _hexadecimal(run.state.flags),
    "bf": lambda run: number_of(run.state.branch_flags),
    "bF": lambda run: _hexadecimal(run.state.branch_flags),
    "sf": lambda run: number_of(run.script_flags),
    "sF": lambda run: _hexadecimal(run.script_flags),
    "si": lambda run: run.flow.host,
    "src_ip": lambda run: run.flow.host,
    "sp": lambda run: number_of(run.flow.port),
    "Ri": lambda run: run.flow.local_host,
    "Rp": lambda run: number_of(run.flow.local_port),
    "pr": lambda run: Dual(run.flow.transport.upper(), transport_number(run.flow.transport)),
    "proto": lambda run: Dual(run.flow.transport.upper(), transport_number(run.flow.transport)),
    "ai": _header_address("P-Asserted-Identity", lambda address: address.uri_text or None),
    "pu": _header_address("P-Preferred-Identity", lambda address: address.uri_text or None),
    "pU": _header_address("P-Preferred-Identity", lambda address: user_of(address.uri)),
    "pd": _header_address("P-Preferred-Identity", lambda address: host_of(address.uri)),
    "pn": _header_address("P-Preferred-Identity", lambda address: address.display or None),
    "re": _header_address("Remote-Party-ID", lambda address: address.uri_text or None),
    "rt": _header_address("Refer-To", lambda address: address.uri_text or None),
    "di": _header_address("Diversion", lambda address: address.uri_text or None),
    "rc": lambda run: run.rc,
    "retcode": lambda run: run.rc,
    "pp": lambda run: os.getpid(),
    "Ts": lambda run: int(run.wall),
    "Tf": lambda run: Dual(time.ctime(run.wall), int(run.wall)),
    "err.class": lambda run: run.error_class,
    "err.level": lambda run: run.mistake.level if run.error_class and run.mistake is not None else 0,
    "err.rcode": lambda run: run.mistake.status if run.error_class and run.mistake is not None else 0,
    "err.info": lambda run: run.mistake.info if run.error_class and run.mistake is not None else None,
    "err.rreason": lambda run: run.mistake.reason if run.error_class and run.mistake is not None else None,
}


def _plain(name: str, getter: Getter) -> PseudoVariableSpec:
    def bind(inner: Inner, index: Index) -> Getter:
        return getter

    return PseudoVariableSpec(name, bind)


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


_SPECS: dict[str, PseudoVariableSpec] = {
    **{name: _plain(name, getter) for name, getter in _SIMPLE.items()},
    **{name: _plain(name, getter) for name, getter in CREDENTIAL_VARIABLES.items()},
    **DESTINATION_VARIABLES,
    "hdr": PseudoVariableSpec("hdr", _bind_header, takes_inner=True, takes_index=True),
    **VARIABLES,
}

PSEUDO_VARIABLES: dict[str, PseudoVariableSpec] = {
    name: replace(spec, doc=VARIABLE_DOCS[name]) for name, spec in _SPECS.items()
}

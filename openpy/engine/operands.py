"""The keyword operands of conditions: `method`, `uri`, `src_ip`, `myself` ..."""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.script.environment import OperandSpec
from openpy.script.values import Value
from openpy.sip.errors import RemoteError
from openpy.sip.headers import NameAddr
from openpy.sip.message import Request, Response
from openpy.sip.transports import port_of
from openpy.sip.uri import cached_uri

PROTOCOLS = {"any": 0, "udp": 1, "tcp": 2, "tls": 3, "sctp": 4, "ws": 5, "wss": 6}
_PROTOCOL_WORDS = PROTOCOLS | {name.upper(): number for name, number in PROTOCOLS.items() if number}
_FAMILY_WORDS = {"inet": 2, "INET": 2, "inet6": 10, "INET6": 10}
MAXIMUM_LENGTH = 65535


def _method(run: Run) -> Value:
    """The method as written; in a reply this slot holds the version."""
    message = run.message
    return message.method if isinstance(message, Request) else "SIP/2.0"


def _uri(run: Run) -> Value:
    """The current Request-URI; in a reply the status code, as `status` is the same word."""
    message = run.message
    return str(message.status) if isinstance(message, Response) else run.uri


def _address_uri(address: NameAddr) -> str | None:
    return address.uri_text or None


def _from_uri(run: Run) -> Value:
    try:
        return _address_uri(run.message.from_)
    except RemoteError:
        return None


def _to_uri(run: Run) -> Value:
    try:
        return _address_uri(run.message.to)
    except RemoteError:
        return None


def _is_own_uri(run: Run, text: Value) -> bool | None:
    if not isinstance(text, str):
        return None
    try:
        uri = cached_uri(text)
    except RemoteError:
        run.parse_failed("uri")
        return None
    return run.server.is_myself(uri.host, port_of(uri))


def _uri_is_myself(run: Run) -> bool | None:
    return _is_own_uri(run, run.uri)


def _from_is_myself(run: Run) -> bool | None:
    return _is_own_uri(run, _from_uri(run))


def _to_is_myself(run: Run) -> bool | None:
    return _is_own_uri(run, _to_uri(run))


OPERANDS: dict[str, OperandSpec] = {
    spec.name: spec
    for spec in (
        OperandSpec("method", "text", _method),
        OperandSpec("uri", "text", _uri, _uri_is_myself),
        OperandSpec("status", "text", _uri, _uri_is_myself),
        OperandSpec("from_uri", "text", _from_uri, _from_is_myself),
        OperandSpec("to_uri", "text", _to_uri, _to_is_myself),
        OperandSpec(
            "src_ip", "address", lambda run: run.flow.host, lambda run: run.server.is_myself(run.flow.host, 0)
        ),
        OperandSpec(
            "dst_ip",
            "address",
            lambda run: run.flow.local_host,
            lambda run: run.server.is_myself(run.flow.local_host, 0),
        ),
        OperandSpec("src_port", "number", lambda run: run.flow.port),
        OperandSpec("dst_port", "number", lambda run: run.flow.local_port),
        OperandSpec("proto", "number", lambda run: PROTOCOLS[run.flow.transport], words=_PROTOCOL_WORDS),
        OperandSpec("af", "number", lambda run: 10 if ":" in run.flow.host else 2, words=_FAMILY_WORDS),
        OperandSpec("msg:len", "number", lambda run: len(run.message.raw), words={"max_len": MAXIMUM_LENGTH}),
    )
}

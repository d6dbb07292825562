"""What the events of a trace say, as values that JSON can hold: messages, ways, and parts of the script."""

from __future__ import annotations

from typing import Any

from openpy.engine.sockets import bracketed
from openpy.script.syntax import (
    Comparison,
    Expression,
    Myself,
    Name,
    Network,
    Null,
    Number,
    Operand,
    PseudoVariable,
    String,
)
from openpy.script.values import Value
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message, Request
from openpy.transaction.flow import Flow

LONGEST = 4000

Event = dict[str, Any]
"""One event: `event` is its kind."""


def cut(value: Value | bytes) -> Value:
    """A value as it is told: text of LONGEST characters at most, in characters that UTF-8 has."""
    if isinstance(value, bytes):
        text = value[: LONGEST + 1].decode("utf-8", "replace")
    elif isinstance(value, str):
        text = str.__str__(value)[: LONGEST + 1].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    else:
        return value
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def sent_event(data: bytes, flow: Flow) -> Event:
    """What is told of a message that leaves."""
    start, _, _ = data.partition(b"\r\n")
    head = data.partition(b"\r\n\r\n")[0]
    call_id = next((line[8:].strip() for line in head.split(b"\r\n") if line[:8].lower() == b"call-id:"), b"")
    return {
        "start": cut(start),
        "to": where(flow),
        "call_id": cut(call_id),
        "text": cut(data),
    }


def where(flow: Flow) -> str:
    """The other end, as `udp:192.0.2.1:5060`."""
    return f"{flow.transport}:{bracketed(flow.host)}:{flow.port}"


def described(message: Message, flow: Flow) -> Event:
    """What is told of the message that came."""
    start = message.raw.partition(b"\n")[0].strip(b"\r")
    found: Event = {"start": cut(start), "from": where(flow), "size": len(message.raw)}
    found["kind"] = "request" if isinstance(message, Request) else "reply"
    found["method"] = method_of(message)
    found["call_id"] = cut(message.get("Call-ID") or "")
    found["from_uri"] = cut(from_uri_of(message))
    return found


def method_of(message: Message) -> str:
    """The method of a request, or of the request that a reply answers."""
    try:
        return message.method if isinstance(message, Request) else message.cseq.method
    except RemoteError:
        return ""


def from_uri_of(message: Message) -> str:
    """The URI in From; "" where there is none."""
    try:
        return message.from_.uri_text or ""
    except RemoteError:
        return ""


def as_written(node: Expression) -> str:
    """An operand, an argument or a comparison of these as text; "" for what is more than that."""
    match node:
        case PseudoVariable(text=text) | Name(text=text) | Network(text=text):
            return text
        case String(value=value):
            return str(cut(value))
        case Number(value=number):
            return str(number)
        case Operand(name=name):
            return name
        case Myself():
            return "myself"
        case Null():
            return "NULL"
        case Comparison(left=left, operator=operator, right=right):
            shown = f'"{as_written(right)}"' if isinstance(right, String) else as_written(right)
            return f"{as_written(left)} {operator} {shown}"
        case _:
            return ""

"""Whatever comes as a message can be looked at; what is accepted can be answered, and sent on as it came."""

from __future__ import annotations

from contextlib import suppress

from openpy.sip.build import reply
from openpy.sip.edits import Edits
from openpy.sip.errors import RemoteError
from openpy.sip.message import Message, Request, Response, parse_message
from openpy.sip.places import header_lines
from openpy.sip.uri import parse_uri
from openpy.sip.validity import check_request, check_response

STRUCTURED = (
    *("via", "vias", "from_", "to", "call_id", "cseq", "contacts"),
    *("max_forwards", "content_length", "expires", "event", "content_type"),
)
COPIED = ("From", "Call-ID", "CSeq")


def check(data: bytes) -> None:
    """Parse a message, read all of it, and answer a request."""
    try:
        message = parse_message(data)
    except RemoteError:
        return
    message.source = ("192.0.2.7", 5070)
    _read_everything(message)
    if not message.defect:
        _check_the_same_again(message)
    if isinstance(message, Request):
        _check_answer(message)
        with suppress(RemoteError):
            check_request(message)
            _check_accepted(message)
    else:
        with suppress(RemoteError):
            check_response(message)


def _read_everything(message: Message) -> None:
    for name in STRUCTURED:
        with suppress(RemoteError):
            getattr(message, name)
    for name in ("Via", "Route", "X-Other", *message.repeats()):
        assert (
            len(message.all(name)) == sum(line.canonical == name for line in header_lines(message))
            or message.defect
        )
        message.values(name)


def _check_the_same_again(message: Message) -> None:
    assert Edits(message).apply() == message.raw or (isinstance(message, Request) and message.repaired)
    again = parse_message(message.raw)
    assert type(again) is type(message)
    assert (again.head, again.body, again.raw) == (message.head, message.body, message.raw)
    assert header_lines(again) == header_lines(message)


def _check_answer(request: Request) -> None:
    """A request can be refused whatever it is."""
    answer = parse_message(reply(request, 400, "Bad Request", to_tag="t", record_route=True))
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (400, b"")


def _check_accepted(request: Request) -> None:
    """The answer to an accepted request goes the way that it came."""
    answer = parse_message(reply(request, 200, "OK", to_tag="t", record_route=True))
    check_response(answer) if isinstance(answer, Response) else None
    assert [via.branch for via in answer.vias] == [via.branch for via in request.vias]
    assert answer.via.received == "192.0.2.7" or answer.via.host == "192.0.2.7"
    assert all(answer.get(name) == request.get(name) for name in COPIED)
    assert answer.to.tag == (request.to.tag or "t")
    assert answer.values("Record-Route") == request.values("Record-Route")
    with suppress(RemoteError):
        uri = parse_uri(request.uri)
        assert str(parse_uri(str(uri))) == str(uri)

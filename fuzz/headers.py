"""A header value parses or is refused; what parses can be written, and says the same when it is read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openpy.sip import headers
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, aor_of, parse_uri


def check(data: bytes) -> None:
    """Parse a text as each kind of header value."""
    text = data.decode("utf-8", "surrogateescape").replace("\r", "").replace("\n", " ")
    for parse, shown in KINDS:
        try:
            value = parse(text)
        except RemoteError:
            continue
        again = shown(value)
        assert shown(parse(again)) == again, (parse.__name__, again)
    _check_uri(text)
    first, rest = headers.split_first(text)
    assert headers.split_list(text)[0] == first
    assert not rest or rest[0] == ","
    assert headers.unquote(headers.quote(text)) == text


def _name_addr(value: headers.NameAddr) -> str:
    """It, with all that is made of it when it is asked for."""
    assert (value.tag or None) == (value.params.get("tag") or None)
    assert value.param("no-such") is None
    str(value.uri)
    return str(value)


def _name_addrs(values: list[headers.NameAddr] | headers.Star) -> str:
    return "*" if isinstance(values, headers.Star) else ", ".join(_name_addr(value) for value in values)


def _via(value: headers.Via) -> str:
    assert value.branch == (value.param("branch") or "")
    assert value.rport is None or 0 <= value.rport <= 65535
    assert value.port is None or 0 <= value.port <= 65535
    return str(value)


def _vias(values: list[headers.Via]) -> str:
    return ", ".join(_via(value) for value in values)


def _event(value: headers.Event) -> str:
    return value.package + _params(value.params)


def _media_type(value: headers.MediaType) -> str:
    return value.full + _params(value.params)


def _params(params: headers.Params) -> str:
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params.items())


def _cseq(value: headers.CSeq) -> str:
    assert 0 <= value.number < 2**31
    return f"{value.number} {value.method}"


def _contacts(text: str) -> list[headers.NameAddr] | headers.Star:
    return headers.parse_contacts([text])


def _number(text: str) -> int:
    return headers.parse_number(text, "Expires")


KINDS: tuple[tuple[Callable[[str], Any], Callable[[Any], str]], ...] = (
    (headers.parse_name_addr, _name_addr),
    (headers.parse_name_addr_list, _name_addrs),
    (_contacts, _name_addrs),
    (headers.parse_via, _via),
    (headers.parse_via_list, _vias),
    (headers.parse_event, _event),
    (headers.parse_media_type, _media_type),
    (headers.parse_cseq, _cseq),
    (_number, str),
    (headers.parse_params, _params),
)


def _check_uri(text: str) -> None:
    try:
        uri = parse_uri(text)
    except RemoteError:
        return
    again = parse_uri(str(uri))
    assert str(again) == str(uri)
    assert again.equals(uri)
    assert again.aor() == uri.aor()
    _check_aor(uri)


def _check_aor(uri: Uri) -> None:
    """The canonical form is its own canonical form, so a presentity has one name."""
    assert aor_of(str(uri)) == uri.aor()
    if uri.is_sip:
        assert aor_of(uri.aor()) == uri.aor()

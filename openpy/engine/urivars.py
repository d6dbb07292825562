"""What pseudo-variables show of a URI: user, host, port, transport; and numbers that are texts too."""

from __future__ import annotations

from openpy.engine.operands import PROTOCOLS
from openpy.engine.run import Run
from openpy.script.values import Dual, Value
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri


def parsed(run: Run, text: str, what: str = "r-uri") -> Uri | None:
    """The URI in a text; None where there is none, or where it cannot be read, which the error_route hears of."""
    if not text:
        return None
    try:
        return cached_uri(text)
    except RemoteError:
        run.parse_failed(what)
        return None


def user_of(uri: Uri | None) -> Value:
    """The user, as in `$rU`; of a tel: URI the number."""
    if uri is None:
        return None
    return uri.user or uri.subscriber or None


def host_of(uri: Uri | None) -> Value:
    """The host, as in `$rd`."""
    return uri.host if uri is not None and uri.is_sip else None


def port_of(uri: Uri | None) -> Value:
    """The port, as in `$rp`: 5060 where there is none."""
    return None if uri is None else number_of(uri.port or 5060)


def transport_of(uri: Uri | None) -> Value:
    """The transport parameter, as in `$rP`: UDP where there is none."""
    if uri is None:
        return None
    name = uri.param("transport") or "UDP"
    return Dual(name, transport_number(name.lower()))


def transport_number(name: str) -> int:
    """The number of a transport, as `proto` compares it; 0 for one that 1.3 does not know."""
    return PROTOCOLS.get(name, 0)


def number_of(value: int) -> Dual:
    """A number that is a text with a view as integer."""
    return Dual(str(value), value)

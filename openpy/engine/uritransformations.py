"""The `{uri.*}` transformations, which need to know what a SIP URI is (openser 1.3 core, `transformations`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openpy.script.environment import Getter, Transformation
from openpy.script.values import Dual, Value
from openpy.sip.errors import RemoteError
from openpy.sip.uri import Uri, cached_uri

Arguments = tuple[Getter | str, ...]


def _of_uri(read: Callable[[Uri], Value]) -> Callable[[Arguments], Callable[[Any, Value], Value]]:
    """A transformation without parameters; it fails (None) for what is no URI."""

    def bind(arguments: Arguments) -> Callable[[Any, Value], Value]:
        def apply(run: Any, value: Value) -> Value:
            if not isinstance(value, str):
                return None
            try:
                return read(cached_uri(value))
            except RemoteError:
                return None

        return apply

    return bind


def _bind_parameter(arguments: Arguments) -> Callable[[Any, Value], Value]:
    (wanted,) = arguments

    def apply(run: Any, value: Value) -> Value:
        name = wanted if isinstance(wanted, str) else wanted(run)
        if not isinstance(value, str) or not isinstance(name, str):
            return None
        try:
            return cached_uri(value).param(name) or ""
        except RemoteError:
            return None

    return apply


def _host(uri: Uri) -> str:
    return uri.host if uri.is_sip else ""


def _parameters(uri: Uri) -> str:
    return ";".join(name if value is None else f"{name}={value}" for name, value in uri.params)


_READERS: dict[str, Callable[[Uri], Value]] = {
    "user": lambda uri: uri.subscriber,
    "passwd": lambda uri: uri.password or "",
    "host": _host,
    "domain": _host,
    "port": lambda uri: uri.port if uri.port is not None else Dual("", 0),
    "params": _parameters,
    "transport": lambda uri: uri.param("transport") or "",
    "ttl": lambda uri: uri.param("ttl") or "",
    "uparam": lambda uri: uri.param("user") or "",
    "maddr": lambda uri: uri.param("maddr") or "",
    "method": lambda uri: uri.param("method") or "",
    "lr": lambda uri: uri.param("lr") or "",
    "r2": lambda uri: uri.param("r2") or "",
}

URI_TRANSFORMATIONS: dict[str, Transformation] = {
    **{f"uri.{name}": Transformation(f"uri.{name}", 0, 0, _of_uri(read)) for name, read in _READERS.items()},
    "uri.param": Transformation("uri.param", 1, 1, _bind_parameter),
}

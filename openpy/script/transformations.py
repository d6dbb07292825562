"""The transformations that need nothing of SIP: `{s.len}`, `{s.select,1,;}`, `{param.value,x}` ...

Rules:
1. A transformation that fails gives None; it is never called with NULL.
2. Lengths and positions count bytes, as in OpenSER.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable
from typing import Any

from openpy.script.comparisons import fold
from openpy.script.environment import ArgumentError, Getter, Transformation
from openpy.script.values import Value, as_number, wrap

Bound = Callable[[Any, Value], Value]
Arguments = tuple[Getter | str, ...]

_USER_CHARACTERS = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/"
)
"""RFC 3261 section 25.1: what a user part may contain as it is."""


def _of_text(function: Callable[[str], Value]) -> Callable[[Arguments], Bound]:
    """A transformation of the text alone."""

    def bind(arguments: Arguments) -> Bound:
        return lambda run, value: function(value if isinstance(value, str) else str(value))

    return bind


def _number_argument(argument: Getter | str) -> Callable[[Any], int | None]:
    """A parameter that is a number, or a variable that has one (its text counts too)."""
    if isinstance(argument, str):
        number = _integer(argument.strip())
        if number is None:
            raise ArgumentError(f'"{argument}" is no number')
        return lambda run: number
    get = argument

    def from_variable(run: Any) -> int | None:
        value = get(run)
        view = as_number(value)
        return _integer(value) if view is None and isinstance(value, str) else view

    return from_variable


def _text_argument(argument: Getter | str) -> Callable[[Any], str | None]:
    if isinstance(argument, str):
        return lambda run: argument
    get = argument

    def from_variable(run: Any) -> str | None:
        value = get(run)
        return None if value is None else str(value)

    return from_variable


# --- s.* ----------------------------------------------------------------------------------------------------


def _length(text: str) -> int:
    return len(_encoded(text))


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        return None
    return wrap(int(text))


def _md5(text: str) -> str:
    return hashlib.md5(_encoded(text), usedforsecurity=False).hexdigest()


def _bind_substring(arguments: Arguments) -> Bound:
    """`{s.substr,offset,length}`: length 0 or too long means to the end, a negative offset counts from it."""
    offset, length = map(_number_argument, arguments)

    def substring(run: Any, value: Value) -> Value:
        data = _encoded(str(value))
        start, size = offset(run), length(run)
        if start is None or size is None:
            return None
        if start < 0:
            start += len(data)
        if not 0 <= start < len(data) or size < 0:
            return None
        return _decoded(data[start : start + size if size else len(data)])

    return substring


def _bind_select(arguments: Arguments) -> Bound:
    """`{s.select,index,separator}`: one field; empty where there is none."""
    index = _number_argument(arguments[0])
    separator = arguments[1]
    if not isinstance(separator, str) or len(separator) != 1:
        raise ArgumentError("the separator is one character")

    def select(run: Any, value: Value) -> Value:
        at = index(run)
        return None if at is None else _item(str(value).split(separator), at)

    return select


def _encode_hexa(text: str) -> str:
    return _encoded(text).hex()


def _decode_hexa(text: str) -> str | None:
    try:
        return _decoded(binascii.unhexlify(text))
    except ValueError:
        return None


def _escape_common(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")


def _unescape_common(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\'", "'").replace('\\"', '"').replace("\\0", "\0") for part in parts)


def _escape_user(text: str) -> str:
    return "".join(chr(byte) if byte in _USER_CHARACTERS else f"%{byte:02x}" for byte in _encoded(text))


def _unescape_user(text: str) -> str | None:
    first, *rest = _encoded(text).split(b"%")
    try:
        return _decoded(first + b"".join(binascii.unhexlify(part[:2]) + part[2:] for part in rest))
    except ValueError:
        return None


# --- param.* ------------------------------------------------------------------------------------------------


def _parameters(text: str) -> list[tuple[str, str]]:
    """Names and values of `a=1;b="x;y";c`."""
    found = []
    for part in _split_outside_quotes(text):
        name, _, value = part.partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if name.strip():
            found.append((name.strip(), value))
    return found


def _split_outside_quotes(text: str) -> list[str]:
    parts = text.split(";")
    if '"' not in text:
        return parts
    joined: list[list[str]] = []
    is_quoted = False
    for part in parts:
        if is_quoted:
            joined[-1].append(part)
        else:
            joined.append([part])
        is_quoted ^= part.count('"') % 2 == 1
    return [";".join(pieces) for pieces in joined]


def _bind_parameter_value(arguments: Arguments) -> Bound:
    name_of = _text_argument(arguments[0])

    def value_of(run: Any, value: Value) -> Value:
        wanted = name_of(run)
        if wanted is None:
            return None
        folded = fold(wanted)
        return next((found for name, found in _parameters(str(value)) if fold(name) == folded), "")

    return value_of


def _bind_parameter_name(arguments: Arguments) -> Bound:
    index = _number_argument(arguments[0])

    def name_of(run: Any, value: Value) -> Value:
        at = index(run)
        return None if at is None else _item([name for name, _ in _parameters(str(value))], at)

    return name_of


def _item(items: list[str], at: int) -> str:
    return items[at] if -len(items) <= at < len(items) else ""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


TRANSFORMATIONS: dict[str, Transformation] = {
    entry.name: entry
    for entry in (
        Transformation("s.len", 0, 0, _of_text(_length), "The length in bytes."),
        Transformation("s.int", 0, 0, _of_text(_integer), "The number; fails for other text."),
        Transformation("s.md5", 0, 0, _of_text(_md5), "The MD5 digest in hexadecimal."),
        Transformation("s.substr", 2, 2, _bind_substring, "`offset,length`: a part of the text."),
        Transformation("s.select", 2, 2, _bind_select, "`index,separator`: one field of a list."),
        Transformation("s.encode.hexa", 0, 0, _of_text(_encode_hexa), "The bytes in hexadecimal."),
        Transformation("s.decode.hexa", 0, 0, _of_text(_decode_hexa), "The text of hexadecimal bytes."),
        Transformation("s.escape.common", 0, 0, _of_text(_escape_common), "Backslash before ' and \\."),
        Transformation("s.unescape.common", 0, 0, _of_text(_unescape_common), "The reverse."),
        Transformation("s.escape.user", 0, 0, _of_text(_escape_user), "Escaped for a URI's user part."),
        Transformation("s.unescape.user", 0, 0, _of_text(_unescape_user), "The reverse."),
        Transformation("param.value", 1, 1, _bind_parameter_value, "`name`: a parameter's value."),
        Transformation("param.name", 1, 1, _bind_parameter_name, "`index`: a parameter's name."),
    )
}
"""By name; the engine adds `uri.*`."""

"""Records of accounting, as text for the log (openser 1.3 module acc)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from openpy.engine.module import ArgumentError

REQUEST, MISSED = "ACC: request accounted: ", "ACC: call missed: "
ANSWERED, ACKNOWLEDGED = "ACC: transaction answered: ", "ACC: request acknowledged: "


class Record(NamedTuple):
    """The core of a record: what is accounted of every request. `time` is Unix time."""

    method: str
    from_tag: str
    to_tag: str
    call_id: str
    code: str
    reason: str
    time: int


class Comment(NamedTuple):
    """What the script says of a request: code ("" for none) and reason."""

    code: str
    reason: str


def read_comment(text: str) -> Comment:
    """Read `404 not found`, or a reason alone; raises ArgumentError for an empty one."""
    text = text.strip()
    if not text:
        raise ArgumentError("the comment is empty: write a code, a reason, or both")
    if len(text) >= 3 and text[:3].isascii() and text[:3].isdigit():
        return Comment(text[:3], text[3:].lstrip())
    return Comment("", text)


def line(prefix: str, record: Record, pairs: Iterable[tuple[str, str]]) -> str:
    """The line for the log; `pairs` are extras, and then the values of all legs."""
    text = (
        f"{prefix}timestamp={record.time};method={record.method};from_tag={record.from_tag}"
        f";to_tag={record.to_tag};call_id={record.call_id};code={record.code};reason={record.reason}"
    )
    text += "".join(f";{name}={value}" for name, value in pairs)
    return " ".join(text.splitlines())

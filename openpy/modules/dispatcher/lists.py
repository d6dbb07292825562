"""The lists that destinations come from: a file, or the rows of a table.

Rules:
1. A line of a file is `<set> <uri>`; `#` begins a comment, and what stands behind the URI is not looked at.
2. A list is taken as a whole or not at all. What is wrong with it is told line by line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openpy.engine.lookups import Row
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

Entry = tuple[int, str]
"""The number of a set, and the URI of a destination in it."""

TOLD = 10
"""Mistakes of one list that are told at most."""


class BadList(Exception):
    """A list that cannot be used: what is wrong, a line each."""

    def __init__(self, problems: list[str]) -> None:
        rest = [f"and {len(problems) - TOLD} more"] if len(problems) > TOLD else []
        super().__init__("; ".join(problems[:TOLD] + rest))


def read_file(path: str) -> list[Entry]:
    """The entries of a file, in order. Blocks; in any thread. Raises BadList."""
    try:
        text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise BadList([f"can't open list file [{path}]: {error.strerror}"]) from None
    lines = ((number, line.partition("#")[0].split()) for number, line in enumerate(text.splitlines(), 1))
    return _entries((f"{path}:{number}", words) for number, words in lines if words)


def read_rows(table: str, rows: Iterable[Row]) -> list[Entry]:
    """The entries of a table's rows (id, set, destination), in the order of their ids; raises BadList."""
    in_order = sorted(rows, key=lambda row: int(row[0]))
    return _entries((f"{table}, row {id_}", [str(set_id), str(uri)]) for id_, set_id, uri in in_order)


def _entries(places: Iterable[tuple[str, list[str]]]) -> list[Entry]:
    entries: list[Entry] = []
    problems: list[str] = []
    for place, words in places:
        number, uri = words[0], words[1].strip() if len(words) > 1 else ""
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            problems.append(f'{place}: "{number}" is no number of a set')
        elif not uri:
            problems.append(f"{place}: there is no URI behind the number of the set")
        elif not _is_sip(uri):
            problems.append(f'{place}: "{uri}" is no SIP URI')
        else:
            entries.append((int(number), uri))
    if problems:
        raise BadList(problems)
    return entries


def _is_sip(text: str) -> bool:
    try:
        return cached_uri(text).is_sip
    except RemoteError:
        return False

"""All dialogs, by what names them: the cookie in our Record-Route, or Call-ID and tags.

Rules:
1. What a name finds must have the Call-ID and tags of the request too: a cookie is no secret.
2. Two dialogs may have one name: a call that two have answered. Two may have the same Call-ID and tags: a call that
   came through here twice. Then one that has not ended is found before one that has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from openpy.modules.dialog.record import Dialog, Name
from openpy.modules.dialog.states import State

Tags = tuple[str, str, str]

K = TypeVar("K")


class Directory:
    """The dialogs of one server."""

    def __init__(self) -> None:
        self._named: dict[Name, list[Dialog]] = {}
        self._tagged: dict[Tags, list[Dialog]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Dialog]:
        for dialogs in self._named.values():
            yield from dialogs

    def add(self, dialog: Dialog) -> None:
        """Take a dialog; `tagged` follows where its answer is not known yet."""
        self._named.setdefault(dialog.name, []).append(dialog)
        self._count += 1
        if dialog.callee.tag:
            self.tagged(dialog)

    def tagged(self, dialog: Dialog) -> None:
        """The callee's tag is known from now on, and stays."""
        self._tagged.setdefault(_tags(dialog), []).append(dialog)

    def remove(self, dialog: Dialog) -> None:
        """Forget a dialog; harmless where it is forgotten."""
        self._count -= _drop(self._named, dialog.name, dialog)
        _drop(self._tagged, _tags(dialog), dialog)

    def named(self, name: Name) -> list[Dialog]:
        """The dialogs of a name."""
        return self._named.get(name, [])

    def find(self, name: Name, call_id: str, one: str, other: str) -> Dialog | None:
        """The dialog of a name that a request with these tags belongs to."""
        return _first(dialog for dialog in self.named(name) if dialog.is_between(call_id, one, other))

    def find_tagged(self, call_id: str, one: str, other: str) -> Dialog | None:
        """The dialog with these tags, whichever side sends."""
        tagged = self._tagged
        return _first(tagged.get((call_id, one, other)) or tagged.get((call_id, other, one), []))


def _tags(dialog: Dialog) -> Tags:
    return dialog.call_id, dialog.caller.tag, dialog.callee.tag


def _first(found: Iterable[Dialog]) -> Dialog | None:
    """The first that has not ended, or else the first."""
    ended = None
    for dialog in found:
        if dialog.state is not State.ENDED:
            return dialog
        ended = ended or dialog
    return ended


def _drop(index: dict[K, list[Dialog]], key: K, dialog: Dialog) -> bool:
    found = index.get(key, [])
    if dialog not in found:
        return False
    found.remove(dialog)
    if not found:
        del index[key]
    return True

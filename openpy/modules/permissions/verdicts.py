"""Whether two files of rules allow what a request asks for. Where one of its URIs cannot be read, they do not."""

from __future__ import annotations

from collections.abc import Iterable

from openpy.engine.run import Run
from openpy.modules.permissions.pairs import branches, contacts
from openpy.modules.permissions.rulefiles import FilePair, RuleBook
from openpy.sip.errors import RemoteError

__all__ = ["may_reach", "may_register", "may_route"]


def may_route(book: RuleBook, files: FilePair, run: Run, *, every: bool) -> bool:
    """Whether From may reach the Request-URI, and those of `every` branch."""
    if book.is_empty(files):
        return True
    try:
        return _allows(book, files, run.message.from_.uri_text, branches(run, every=every))
    except RemoteError:
        return False


def may_register(book: RuleBook, files: FilePair, run: Run) -> bool:
    """Whether To may register each Contact."""
    if book.is_empty(files):
        return True
    try:
        return _allows(book, files, run.message.to.uri_text, contacts(run))
    except RemoteError:
        return False


def may_reach(book: RuleBook, files: FilePair, run: Run, uri: object) -> bool:
    """Whether From may reach a URI; what is no text is none."""
    if book.is_empty(files):
        return True
    try:
        return isinstance(uri, str) and _allows(book, files, run.message.from_.uri_text, [uri])
    except RemoteError:
        return False


def _allows(book: RuleBook, files: FilePair, asking: str, wanted: Iterable[str]) -> bool:
    return all(book.allows(files, asking, uri) for uri in wanted)

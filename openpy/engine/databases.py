"""The database at a URL, by the module that speaks for its scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openpy.db.database import Database
from openpy.db.threads import Threads
from openpy.db.url import parse_url
from openpy.engine.module import Module, ModuleError


def database_at(
    url: str, modules: Iterable[Module], post: Callable[[Callable[[], None]], None], threads: Threads
) -> Database:
    """One that is not open yet, and whose answers are handed to `post`; raises ModuleError."""
    try:
        parsed = parse_url(url)
    except ValueError as error:
        raise ModuleError(str(error)) from None
    for module in modules:
        dialect = getattr(module, "dialect", None)
        if dialect is not None and parsed.scheme in dialect.schemes:
            return Database(parsed, dialect, post, threads)
    raise ModuleError(
        f"no database module for {parsed.scheme}: is loaded", f'add: loadmodule "{parsed.scheme}.so"'
    )

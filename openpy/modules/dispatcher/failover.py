"""The destinations that a request may still go to, kept in AVPs of its own (parameters dst_avp, grp_avp, cnt_avp).

The values of dst_avp are URIs: first the one that the request goes to, then those to try after it. grp_avp is the set,
cnt_avp how many there were.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from openpy.engine.named import NamedAvp, avp_of
from openpy.engine.run import Run
from openpy.modules.dispatcher.sets import Destination, Sets


class Names(NamedTuple):
    """The AVPs; None: it has none."""

    destinations: NamedAvp | None = None
    set_id: NamedAvp | None = None
    number: NamedAvp | None = None


def names_of(*written: str) -> Names:
    """The AVPs that the three parameters name."""
    return Names(*map(avp_of, written))


def keep(run: Run, names: Names, set_id: int, destinations: Iterable[Destination]) -> None:
    """Remember where a request goes, and where it may go after that."""
    uris = [destination.uri_text for destination in destinations]
    for avp, values in (
        (names.destinations, reversed(uris)),
        (names.set_id, [set_id]),
        (names.number, [len(uris)]),
    ):
        if avp is not None:
            for value in values:
                avp.add(run, value)


def take_next(run: Run, names: Names) -> str:
    """Forget where the request went; the URI that is next, or ""."""
    name = names.destinations.name(run) if names.destinations is not None else None
    values = run.state.avps.get(name, []) if name is not None else []
    if values:
        del values[0]
    return values[0] if values and isinstance(values[0], str) else ""


def current(run: Run, names: Names, sets: Sets) -> Destination | None:
    """Where a request goes, as its AVPs say."""
    if names.set_id is None or names.destinations is None:
        return None
    set_id, uri = names.set_id.read(run), names.destinations.read(run)
    return sets.find(set_id, uri) if isinstance(set_id, int) and isinstance(uri, str) else None

"""Sets of destinations, and what is known of each.

Rules:
1. A destination that stands in a set twice has two places and one state: so it gets twice its share.
2. One is out after so many failures between which nothing succeeded, and is probed then; one that is inactive stays
   out until somebody says otherwise.
3. Another list keeps what is known of the destinations that stay, by set and URI. Who holds a destination that has
   gone may still use it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from openpy.modules.dispatcher.lists import Entry
from openpy.sip.transports import SIP_PORT
from openpy.sip.uri import Uri, cached_uri


class State(Enum):
    """Whether requests go to a destination; the value is 1.3's letter."""

    ACTIVE = "A"
    INACTIVE = "I"
    PROBING = "P"


class Destination:
    """One destination of a set. `addresses` are those that its host has, as far as that is known."""

    __slots__ = ("addresses", "failures", "name", "set_id", "state", "uri", "uri_text")

    def __init__(self, set_id: int, uri_text: str) -> None:
        self.set_id = set_id
        self.uri_text = uri_text
        self.uri: Uri = cached_uri(uri_text)
        self.state = State.ACTIVE
        self.failures = 0
        self.addresses: tuple[str, ...] = ()
        self.name = self.uri.host.strip("[]").lower()
        """The host; "" where it is an address."""
        try:
            self.addresses = (str(ipaddress.ip_address(self.name)),)
        except ValueError:
            return
        self.name = ""

    @property
    def is_active(self) -> bool:
        """Whether requests go there."""
        return self.state is State.ACTIVE

    @property
    def port(self) -> int:
        """The port that its requests come from."""
        return self.uri.port or SIP_PORT

    def set_state(self, state: State) -> bool:
        """Let it be in a state, with no failures; whether that is another one."""
        changes = state is not self.state
        self.state = state
        self.failures = 0
        return changes

    def fail(self, threshold: int) -> bool:
        """It has failed once more: with the last of so many failures it is to be probed; whether it is so now.

        One that is out already stays as it is.
        """
        if not self.is_active:
            return False
        self.failures += 1
        return self.failures >= threshold and self.set_state(State.PROBING)

    def succeed(self) -> None:
        """It has answered a request: failures are counted anew, where it is in."""
        if self.is_active:
            self.failures = 0


class DestinationSet:
    """One set, in the order of its list. `turn` is whose turn it is, round robin."""

    __slots__ = ("id", "places", "turn")

    def __init__(self, id_: int, places: Sequence[Destination], turn: int = 0) -> None:
        self.id = id_
        self.places = tuple(places)
        self.turn = turn

    def next_turn(self) -> int:
        """The number of whose turn it is, which counts on; the next one's afterwards."""
        self.turn += 1
        return self.turn - 1

    def chosen(self, number: int, *, use_default: bool) -> int | None:
        """The place that a number means, or the next one whose destination is active; None where there is none.

        With `use_default` the last place is the last resort, taken whatever its state where no other is.
        """
        last = len(self.places) - 1
        count = last if use_default and last else last + 1
        for step in range(count):
            place = (number + step) % count
            if self.places[place].is_active:
                return place
        return last if use_default else None

    def alternatives(self, first: int, *, use_default: bool) -> Iterator[Destination]:
        """The destinations to try, in order: the chosen one, the active ones behind and before it, the last resort.

        Each once: one with a double share that has failed is not tried again.
        """
        last = len(self.places) - 1
        found = [self.places[first]]
        for place in (*range(first + 1, last + 1), *range(first)):
            if self.places[place].is_active and not (use_default and place == last):
                found.append(self.places[place])
        if use_default:
            found.append(self.places[last])
        return iter(dict.fromkeys(found))


class Sets:
    """All sets of one list, by number."""

    __slots__ = ("_by_id", "_known")

    def __init__(self, entries: Iterable[Entry] = (), before: Sets | None = None) -> None:
        """`before` are those of the list that this one replaces (rule 3)."""
        self._known: dict[Entry, Destination] = {}
        """The destinations by set and URI."""
        self._by_id: dict[int, DestinationSet] = {}
        known = {} if before is None else before._known
        old = {} if before is None else before._by_id
        places: dict[int, list[Destination]] = {}
        for entry in entries:
            if entry not in self._known:
                self._known[entry] = known.get(entry) or Destination(*entry)
            places.setdefault(entry[0], []).append(self._known[entry])
        for id_, found in places.items():
            self._by_id[id_] = DestinationSet(id_, found, old[id_].turn if id_ in old else 0)

    def __iter__(self) -> Iterator[DestinationSet]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id_: int) -> DestinationSet | None:
        """The set of a number."""
        return self._by_id.get(id_)

    def find(self, id_: int, uri: str) -> Destination | None:
        """A destination by set and URI, as the list writes it."""
        return self._known.get((id_, uri))

    @property
    def destinations(self) -> Iterable[Destination]:
        """Each destination of each set, once."""
        return self._known.values()

    def has_source(self, host: str, port: int, id_: int | None = None) -> bool:
        """Whether a message came from a destination: of one set, or of any."""
        return any(
            host in destination.addresses and port == destination.port
            for destination in self._known.values()
            if id_ is None or destination.set_id == id_
        )

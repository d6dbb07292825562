"""What is known of a dialog and its two sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from openpy.modules.dialog.states import State
from openpy.transaction.wheel import Timer


@dataclass(slots=True)
class Leg:
    """One side. `routes` are the name-addrs that a request to it goes through, `socket` is ours towards it."""

    tag: str
    uri: str
    cseq: int = 0
    contact: str = ""
    routes: tuple[str, ...] = ()
    socket: str = ""


class Name(NamedTuple):
    """What a dialog is called, in Record-Route and by management commands: 1.3's place in a table, and number there."""

    entry: int
    number: int


@dataclass(slots=True, eq=False)
class Dialog:
    """One dialog. Times are Unix times, 0 until it is answered; `row` is the id of its row, once it has one."""

    name: Name
    call_id: str
    caller: Leg
    callee: Leg
    state: State = State.UNCONFIRMED
    started: int = 0
    ends: int = 0
    row: int | None = None
    timer: Timer | None = field(default=None, repr=False)

    def goes_down(self, from_tag: str) -> bool:
        """Whether a request with this From tag is one of who began the dialog."""
        return from_tag == self.caller.tag

    def is_between(self, call_id: str, one: str, other: str) -> bool:
        """Whether a request with these tags belongs to it; before the answer the callee's is not known."""
        if call_id != self.call_id:
            return False
        own = self.caller.tag, self.callee.tag
        if not own[1]:
            return own[0] in (one, other)
        return own in ((one, other), (other, one))

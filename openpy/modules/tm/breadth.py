"""How far one request may spread: Max-Breadth (RFC 5393 section 5).

Rules:
1. A request may be under way on as many branches at once as its Max-Breadth says, wherever it is forked; where it has
   none, on DEFAULT. So contacts that lead back here make no more of it with each turn.
2. Who forks shares it out. A request without one that has one target stays as it is, and counts as one.
3. Where there are more targets than it allows the first ones are taken.
4. A route may call `t_relay` again while branches are under way: it shares out what these have left. So one is kept
   back where there is more than the targets need. A branch that has ended gives its share back.
"""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_number
from openpy.sip.message import Request

HEADER = "Max-Breadth"
DEFAULT = 60
UNSAID = 0
"""The share of a branch whose request says nothing."""


def shares_of(request: Request, taken: int, targets: int) -> list[int]:
    """The share of each branch, of as many as there may be; `taken` have those that are under way."""
    said = request.get(HEADER)
    if said is None and targets == 1 and not taken:
        return [UNSAID]
    return _share_out(_breadth(said) - taken, targets)


def _breadth(said: str | None) -> int:
    """What cannot be read is as good as none."""
    if said is None:
        return DEFAULT
    try:
        return parse_number(said, HEADER)
    except RemoteError:
        return DEFAULT


def _share_out(breadth: int, targets: int) -> list[int]:
    branches = min(breadth, targets)
    if branches <= 0:
        return []
    kept_back = breadth > branches
    each, more = divmod(breadth - kept_back, branches)
    return [each + (place < more) for place in range(branches)]


def write_breadth(run: Run, breadth: int) -> None:
    """Let the request of a branch say what its share is."""
    run.edits.remove(HEADER)
    run.edits.append_header(f"{HEADER}: {breadth}\r\n")

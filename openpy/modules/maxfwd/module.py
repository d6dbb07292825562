"""maxfwd: the hop limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Function,
    Module,
    NumberKind,
    Param,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run
from openpy.sip.errors import RemoteError

HIGHEST = 256
Hops = Annotated[int, NumberKind(1, HIGHEST, f"a number of hops, 1 to {HIGHEST}")]


def _limit(value: int) -> int:
    if not 1 <= value <= HIGHEST:
        raise ArgumentError(f"max_limit is 1 to {HIGHEST}")
    return value


class Maxfwd(Module):
    """Checks and counts down Max-Forwards.

    A request that goes round in circles ends here:

        if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    """

    name = "maxfwd"
    can_join = True

    max_limit = Param(int, HIGHEST, "Larger incoming values are lowered to this", check=_limit, reload=True)

    def functions(self) -> Iterator[Function]:
        """All script functions; what is added where there is no header is no more than max_limit."""
        for function in super().functions():
            if function.name == "mf_process_maxfwd_header":
                up_to_limit = NumberKind(1, self.max_limit, f"a number of hops, 1 to {self.max_limit}")
                (hops,) = function.parameters
                function = replace(function, parameters=(replace(hops, kind=up_to_limit),))
            yield function

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def mf_process_maxfwd_header(self, run: Run, hops: Hops) -> int:
        """2: header added with that value; 1: counted down; -1: it is 0 already."""
        try:
            left = run.message.max_forwards
        except RemoteError:
            return 1  # as 1.3: what cannot be read passes
        if left is None:
            run.hops = hops
            return 2
        if left == 0:
            return -1
        run.hops = min(left, self.max_limit) - 1
        return 1

    @script_function(
        routes=frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.BRANCH}), effect=Effect.NONE
    )
    def is_maxfwd_lt(self, run: Run, hops: Hops) -> int:
        """1: the value is lower; -1: it is not; -2: there is none; -3: it cannot be read."""
        try:
            left = run.message.max_forwards
        except RemoteError:
            return -3
        if left is None:
            return -2
        return 1 if left < hops else -1

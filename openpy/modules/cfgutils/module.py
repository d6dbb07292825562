"""cfgutils: chance, pauses, and what one needs to look into a server."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Annotated, Any

from openpy.engine.log import CRITICAL, NOTICE
from openpy.engine.memory import largest_resident
from openpy.engine.mi import MiError, Reply
from openpy.engine.module import (
    ArgumentError,
    Effect,
    Index,
    Inner,
    Module,
    NumberKind,
    Param,
    RouteKind,
    mi_command,
    pseudo_variable,
    script_function,
)
from openpy.engine.run import Overloaded, Run
from openpy.engine.services import Services
from openpy.engine.waiting import Wait

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.ONREPLY, RouteKind.BRANCH})
STACK = 12
"""Frames that are logged by `abort`: the script's are among the last."""

Percent = Annotated[int, NumberKind(0, 100, "a probability in per cent, 0 to 100")]
Time = Annotated[int, NumberKind(0, description="a time, 0 or more")]


def _percent(value: int) -> int:
    if not 0 <= value <= 100:
        raise ArgumentError("initial_probability is 0 to 100")
    return value


class Cfgutils(Module):
    """Chance, pauses, and what one needs to look into a server.

    A pause (`sleep`, `usleep`) concerns the message only whose route waits; others are served meanwhile, and
    retransmissions of the message are absorbed. It ends with a tenth of a second.

        rand_set_prob("5");
        if (rand_event()) { sl_send_reply("503", "By Chance"); exit; }
    """

    name = "cfgutils"
    can_join = True

    initial_probability = Param(
        int,
        10,
        "Per cent of the calls of `rand_event` that are true, until it is set",
        check=_percent,
        reload=True,
    )

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.probability = 0

    def check(self) -> None:
        """Begin with `initial_probability`."""
        self.probability = self.initial_probability

    # --- chance -----------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def rand_event(self, run: Run) -> int:
        """1 with the probability that is set, else -1."""
        return 1 if self.services.random.randrange(100) < self.probability else -1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def rand_set_prob(self, run: Run, probability: Percent) -> int:
        """Set the probability: 1."""
        self.probability = probability
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def rand_reset_prob(self, run: Run) -> int:
        """Set the probability to `initial_probability`: 1."""
        self.probability = self.initial_probability
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def rand_get_prob(self, run: Run) -> int:
        """The probability as return code; a probability of 0 so ends the script."""
        return self.probability

    @pseudo_variable("RANDOM")
    def random_number(self, inner: Inner, index: Index) -> Any:
        """A random number, 0 to 2147483647, another one each time; nobody should take it for a secret."""
        return lambda run: self.services.random.getrandbits(31)

    @mi_command("rand_set_prob")
    def set_probability(self, probability: int) -> None:
        """Set the probability, 0 to 100 per cent."""
        if not 0 <= probability <= 100:
            raise MiError(400, "Bad parameter")
        self.probability = probability

    @mi_command("rand_reset_prob")
    def reset_probability(self) -> None:
        """Set the probability to `initial_probability`."""
        self.probability = self.initial_probability

    @mi_command("rand_get_prob")
    def get_probability(self) -> Reply:
        """Tell the probability."""
        reply = Reply()
        reply.add(value=f"actual probability: {self.probability} percent\n")  # 1.3: an empty line follows
        return reply

    # --- pauses -----------------------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def sleep(self, run: Run, seconds: Time) -> int:
        """Wait so many seconds: 1; -1 at once where there is no room for the transaction that this needs."""
        return await self._pause(run, seconds)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    async def usleep(self, run: Run, microseconds: Time) -> int:
        """Wait so many microseconds, to the next tenth of a second: 1; -1 as `sleep`."""
        return await self._pause(run, microseconds / 1_000_000)

    async def _pause(self, run: Run, seconds: float) -> int:
        if seconds <= 0:
            return 1
        try:
            run.hold()
        except Overloaded:
            return -1
        pause: Wait[None] = Wait()
        self.services.wheel.add(seconds, pause.resolve, None)
        await pause
        return 1

    # --- looking into the server ------------------------------------------------------------------------------

    @script_function(routes=ROUTES, effect=Effect.ENDS)
    def abort(self, run: Run) -> int:
        """Stop the server, as SIGTERM does: log where the script was, finish what was begun, close: 0, ends the script.

        Nothing that was acknowledged is lost, and no core is dumped.
        """
        stack = "".join(traceback.format_stack(limit=STACK))
        first_line = run.message.raw.split(b"\r\n", 1)[0].decode("utf-8", "backslashreplace")
        self.services.log.write(
            CRITICAL, self.name, f'the script calls abort() for "{first_line}": the server stops\n{stack}'
        )
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def pkg_status(self, run: Run) -> int:
        """Log how much memory the process uses: 1."""
        most = largest_resident() // 1024
        self._log(f"{sys.getallocatedblocks()} objects live; {most} KiB of memory at most so far")
        return 1

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def shm_status(self, run: Run) -> int:
        """Log what the server holds for all messages, as one process shares nothing: transactions and timers: 1."""
        transactions = self.services.transactions.servers_in_use
        self._log(f"{transactions} server transactions and {len(self.services.wheel)} timers are held")
        return 1

    def _log(self, text: str) -> None:
        self.services.log.write(NOTICE, self.name, text)

"""pike: its declaration."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from openpy.engine.checks import positive
from openpy.engine.mi import Reply
from openpy.engine.module import REQUEST, Counter, Effect, Module, Param, mi_command, script_function
from openpy.engine.run import Run
from openpy.modules.pike.tree import Limits, SourceTree, Verdict
from openpy.transaction.wheel import Timer

ALLOWED, BLOCKED = 1, -1

PAUSE = 1.0
"""Seconds between two looks for what can be forgotten."""

AT_ONCE = 4096
"""Nodes that are forgotten at most in one look."""


class Pike(Module):
    """Tells which sources send too many requests, so that a script can drop them.

        if (src_ip != myself && !pike_check_req()) { drop(); }

    An address is blocked while it has sent `reqs_density_per_unit` requests in this period or the last; what it sends
    meanwhile counts too. Single addresses are watched only where much comes from near them, so it takes up to three
    times as much until an IPv4 address that was quiet is found (IPv6: eight times).
    """

    name = "pike"
    can_join = True

    sampling_time_unit = Param(int, 2, "Seconds of a period", check=positive, reload=True)
    reqs_density_per_unit = Param(
        int, 30, "Requests of a period that block an address", check=positive, reload=True
    )
    remove_latency = Param(
        int, 120, "Seconds after which a quiet address is forgotten", check=positive, reload=True
    )
    max_nodes = Param(
        int,
        65536,
        "Addresses and parts of addresses that are watched; more: the longest quiet ones are forgotten",
        check=positive,
        limit=True,
        reload=True,
    )

    blocked_requests = Counter("Requests of blocked addresses", name="pike_blocked_requests")
    watched = Counter(
        "Addresses and parts of addresses that are watched",
        name="pike_nodes",
        read=lambda module: len(module.tree),
    )

    tree: SourceTree
    _timer: Timer | None = None

    def check(self) -> None:
        """Begin with nothing."""
        limits = Limits(
            self.sampling_time_unit, self.reqs_density_per_unit, self.remove_latency, self.max_nodes
        )
        self.tree = SourceTree(limits)

    async def start(self) -> None:
        """Begin to forget."""
        self._forget()

    def reconfigured(self, configured: Module) -> None:
        """Begin anew, with other limits."""
        self.check()

    async def stop(self) -> None:
        """Forget no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _forget(self) -> None:
        self.tree.forget(self.services.clock.monotonic(), AT_ONCE)
        self._timer = self.services.wheel.add(PAUSE, self._forget)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def pike_check_req(self, run: Run) -> int:
        """Count the request; -1 if the address that it came from is blocked."""
        host = run.flow.host
        try:
            address = inet_pton(AF_INET6 if ":" in host else AF_INET, host.partition("%")[0])
        except OSError:
            return ALLOWED
        verdict = self.tree.count(address, self.services.clock.monotonic())
        if verdict is Verdict.ALLOWED:
            return ALLOWED
        self.blocked_requests.value += 1
        if verdict is Verdict.BLOCKED_NOW:
            self.services.log.warning(self.name, f"too many hits on {host} !!")
        return BLOCKED

    @mi_command("pike_list")
    def pike_list(self) -> Reply:
        """The addresses that are blocked, a node each."""
        reply = Reply()
        for address in self.tree.blocked(self.services.clock.monotonic()):
            reply.add("", inet_ntop(AF_INET6 if len(address) > 4 else AF_INET, address))
        return reply

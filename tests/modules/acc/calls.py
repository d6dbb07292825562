"""Calls that are accounted, for the tests of acc."""

from __future__ import annotations

from pathlib import Path

from tests.engine.kit import MODULES, Bench, answer, request

NEXT = "sip:bob@192.0.2.9"


class Accounted(Bench):
    """A script that loads acc. `settings` are parameters of acc as `name=value`, values as the script has them."""

    def __init__(self, folder: Path, route: str, *settings: str, more: str = "") -> None:
        pairs = (setting.partition("=") for setting in settings)
        params = "".join(f'modparam("acc", "{name}", {value})\n' for name, _, value in pairs)
        super().__init__(folder, route, more=f"{params}{more}", modules=("sqlite", *MODULES, "rr", "acc"))

    def call(self, *statuses: int, method: str = "INVITE", branch: str = "z9hG4bKtest") -> None:
        """A request, and what the next hop answers."""
        self.receive(request(method, NEXT, branch=branch))
        sent = next(each for each in reversed(self.sent) if each.start.startswith(f"{method} "))
        for status in statuses:
            self.receive(answer(sent, status))

    @property
    def lines(self) -> list[str]:
        """What was accounted: what it is, and its code."""
        found = (line.partition(":acc: ACC: ")[2] for line in self.log)
        pairs = ((line.partition(": timestamp=")[0], line) for line in found if line)
        return [f"{what} {line.partition(';code=')[2].partition(';')[0]}" for what, line in pairs]

    @property
    def last(self) -> str:
        """The last line, from its method on."""
        line = next(each for each in reversed(self.log) if ":acc: ACC: " in each)
        return line.partition(";")[2]

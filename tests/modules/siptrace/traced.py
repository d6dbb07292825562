"""Scripts that trace, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpy.modules.siptrace.module import Siptrace
from openpy.testing.exchange import Exchange
from openpy.testing.script import Script

BOB = "sip:bob@192.0.2.9"
MODULES = ("sqlite", "sl", "tm", "rr", "textops", "xlog", "siptrace")
ROUTE = 'route { setflag(22); $var(code) = sip_trace(); xlog("$var(code)"); t_relay(); }'
HERE = 'db_url="sqlite:///trace.db"'


def script_of(*settings: str, route: str = ROUTE, more: str = "") -> str:
    """A script; settings are parameters of siptrace as `name=value`, values as the script has them."""
    loads = "".join(f'loadmodule "{name}.so"\n' for name in MODULES)
    pairs = [setting.partition("=") for setting in (HERE, "trace_flag=22", "trace_on=1", *settings)]
    params = "".join(f'modparam("siptrace", "{name}", {value})\n' for name, _, value in pairs)
    return f"{loads}{params}{more}{route}"


class Traced(Script):
    """A script that traces."""

    def __init__(
        self, *settings: str, route: str = ROUTE, more: str = "", folder: Path | None = None
    ) -> None:
        super().__init__(script_of(*settings, route=route, more=more), folder=folder)

    @property
    def module(self) -> Siptrace:
        module = self.server.module("siptrace")
        assert isinstance(module, Siptrace)
        return module

    def invite(self) -> Exchange:
        """An INVITE of alice to bob."""
        return self.send("INVITE", BOB, None, "")

    def kept(self, table: str = "sip_trace", **columns: object) -> list[dict[str, Any]]:
        """All rows, once what waits is written."""
        self.run_for(0.35)  # less than until a retransmission
        return self.rows(table, **columns)

    @property
    def flow(self) -> list[str]:
        """The rows in short: `in INVITE`, `out 200 INVITE`."""
        return [
            " ".join(filter(None, (row["direction"], row["status"], row["method"]))) for row in self.kept()
        ]

    @property
    def figures(self) -> tuple[int, int, int]:
        """Requests and replies traced, and messages dropped."""
        names = ("traced_requests", "traced_replies", "dropped_messages")
        first, second, third = (self.statistic(f"siptrace:{name}") for name in names)
        return first, second, third

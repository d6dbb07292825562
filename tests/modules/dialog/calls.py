"""Calls through a script that follows them, in virtual time."""

from __future__ import annotations

from pathlib import Path

from openpy.engine.mi import Node
from openpy.modules.dialog.module import DialogModule
from openpy.modules.dialog.record import Dialog
from openpy.modules.dialog.states import State
from openpy.testing.exchange import Exchange, Sent
from openpy.testing.messages import Headers
from openpy.testing.script import Script

BOB = "sip:bob@192.0.2.9"
MODULES = ("sqlite", "sl", "tm", "rr", "textops", "xlog", "dialog")
STATUS = "$rm $DLG_status $DLG_count"
ROUTE = f"""
route {{
    if (loose_route()) {{ xlog("{STATUS}"); t_relay(); exit; }}
    if (is_method("INVITE")) {{ setflag(4); record_route(); }}
    t_relay();
}}
"""


def script_of(*settings: str, route: str = ROUTE, more: str = "") -> str:
    """A script; settings are parameters of dialog as `name=value`, values as the script has them."""
    loads = "".join(f'loadmodule "{name}.so"\n' for name in MODULES)
    pairs = [setting.partition("=") for setting in ("dlg_flag=4", *settings)]
    return (
        loads + "".join(f'modparam("dialog", "{name}", {value})\n' for name, _, value in pairs) + more + route
    )


class Calls(Script):
    """A script that follows calls."""

    def __init__(
        self, *settings: str, route: str = ROUTE, more: str = "", folder: Path | None = None
    ) -> None:
        super().__init__(script_of(*settings, route=route, more=more), folder=folder)

    @property
    def module(self) -> DialogModule:
        module = self.server.module("dialog")
        assert isinstance(module, DialogModule)
        return module

    @property
    def dialogs(self) -> list[Dialog]:
        return list(self.module.tracking.dialogs)

    @property
    def states(self) -> list[State]:
        return [dialog.state for dialog in self.dialogs]

    @property
    def figures(self) -> tuple[int, ...]:
        """active, early, processed, expired, failed."""
        names = ("active", "early", "processed", "expired", "failed")
        return tuple(self.statistic(f"dialog:{name}_dialogs") for name in names)

    def invite(self, headers: Headers | None = None) -> Exchange:
        """An INVITE of alice to bob."""
        return self.send("INVITE", BOB, headers, "")

    def answered(self, status: int = 200, headers: Headers | None = None) -> Exchange:
        """An INVITE, and what bob answers."""
        invite = self.invite(headers)
        accept(invite, status)
        return invite

    def call(self, headers: Headers | None = None) -> Exchange:
        """A call that is up: INVITE, 200, ACK."""
        invite = self.answered(headers=headers)
        self.send("ACK", within=invite)
        return invite

    def from_callee(self, invite: Exchange, method: str, cseq: int = 1) -> Exchange:
        """A request of bob in the dialog."""
        answer = invite.reply.message
        headers = {
            "From": answer.get("To"),
            "To": answer.get("From"),
            "Call-ID": answer.get("Call-ID"),
            "CSeq": f"{cseq} {method}",
            "Route": answer.values("Record-Route"),
        }
        return self.send(method, "sip:alice@192.0.2.1:5060", headers, source="192.0.2.9")

    def listed(self) -> list[dict[str, str]]:
        """What dlg_list shows, each dialog by the names of what is said of it."""
        reply = self.mi("dlg_list")
        assert reply is not None
        return [{"hash": node.attributes["hash"], **_values(node)} for node in reply.nodes]


def accept(invite: Exchange, status: int = 200, tag: str = "bob", which: int = 0) -> list[Sent]:
    """What bob answers to one branch of an INVITE."""
    sent = [each for each in invite.relayed if each.method == "INVITE"][which]
    to = f"{sent.get('To')};tag={tag}"
    return sent.answer(status, To=to, Contact=f"<{BOB}:5070>")


def _values(node: Node) -> dict[str, str]:
    return {child.name: child.value or "" for child in node.children}

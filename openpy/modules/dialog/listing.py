"""Dialogs as `dlg_list` shows them (openser 1.3)."""

from __future__ import annotations

from openpy.engine.mi import Node, Reply
from openpy.modules.dialog.record import Dialog, Leg


def add_dialog(reply: Reply, dialog: Dialog, up_since: int) -> None:
    """Add a dialog; its times are seconds since the start of the server, as in 1.3: before it they are negative."""
    node = reply.add("dialog", None, hash=f"{dialog.name.entry}:{dialog.name.number}")
    node.add("state", str(int(dialog.state)))
    node.add("timestart", str(dialog.started - up_since if dialog.started else 0))
    node.add("timeout", str(dialog.ends - up_since if dialog.ends else 0))
    node.add("callid", dialog.call_id)
    _add_leg(node, dialog.caller, "from", "caller")
    _add_leg(node, dialog.callee, "to", "callee")


def _add_leg(node: Node, leg: Leg, address: str, side: str) -> None:
    node.add(f"{address}_uri", leg.uri)
    node.add(f"{address}_tag", leg.tag)
    node.add(f"{side}_contact", leg.contact)
    node.add(f"{side}_cseq", str(leg.cseq))
    node.add(f"{side}_route_set", ",".join(leg.routes))
    node.add(f"{side}_bind_addr", leg.socket)

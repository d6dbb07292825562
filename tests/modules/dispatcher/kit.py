"""A server with a list of destinations."""

from __future__ import annotations

from pathlib import Path

from openpy.engine.mi import Node, Reply
from tests.engine.kit import MODULES, Bench

A, B, C, D = (f"sip:192.0.2.{number}" for number in (11, 12, 13, 14))
LIST = f"1 {A}\n1 {B}\n1 {C}\n\n# the second site\n2 {D}:5070 # spare\n"
AVPS = """
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "dst_avp", "$avp(i:271)")
modparam("dispatcher", "grp_avp", "$avp(i:272)")
modparam("dispatcher", "cnt_avp", "$avp(s:count)")
"""


def balancer(
    folder: Path, route: str, *, text: str = LIST, more: str = "", modules: tuple[str, ...] = MODULES
) -> Bench:
    """A bench whose list is `text`."""
    file = folder / "list"
    file.write_text(text)
    return Bench(
        folder,
        route,
        more=f'modparam("dispatcher", "list_file", "{file}")\n{more}',
        modules=(*modules, "dispatcher"),
    )


def command(bench: Bench, name: str, *values: str) -> Reply:
    found = bench.server.commands.find(name)
    assert found is not None
    reply = bench.server.commands.run(found, [Node(value=value) for value in values]).value
    assert reply is not None
    return reply


def listed(bench: Bench) -> list[str]:
    """All destinations of `ds_list`: set, host and flag."""
    return [
        f"{node.value} {child.value} {child.attributes['flag']}"
        for node in command(bench, "ds_list").nodes
        if node.name == "SET"
        for child in node.children
    ]

from __future__ import annotations

import pytest

from openpy.engine.changes import Change, config_changes, file_changes, label, module_changes, script_changes
from openpy.engine.config import CORE_PARAMETERS, CoreConfig, Effect
from openpy.engine.module import Module, Param
from openpy.script.parser import parse
from openpy.script.syntax import NOWHERE, Block, Route, RouteKind, SocketId


class Stays(Module):
    """Cannot come or go."""

    name = "stays"
    size = Param(int, 5, "x")
    url = Param(str, "", "x")
    rate = Param(int, 5, "x", reload=True)
    names: Param[list[str]] = Param(str, [], "x", repeat=True, reload=True)


class Comes(Module):
    """Can."""

    name = "comes"
    can_join = True


def made(cls: type[Module] = Stays, **values: object) -> Module:
    module = cls(services=None)  # type: ignore[arg-type]
    vars(module).update(values)
    return module


def told(found: list[Change]) -> list[str]:
    return [f"{change}{' !' * change.needs_restart}" for change in found]


def test_core_parameters() -> None:
    old, new = CoreConfig(), CoreConfig()
    new.values.update({"debug": 4, "maxbuffer": 1, "children": 2, "server_header": "Server: x"})
    new.listen.append(SocketId("udp", "192.0.2.1", 5060))
    new.aliases += [SocketId(None, "example.org", None), SocketId("tcp", "[::1]", 0)]
    assert told(list(config_changes(old, new))) == [
        "core debug: 2 -> 4",
        "core children: 8 -> 2",
        "core listen: unset -> udp:192.0.2.1:5060 !",
        "core alias: unset -> example.org, tcp:[::1]",
        "core server_header: unset -> Server: x",
        "core maxbuffer: 4194304 -> 1 !",
    ]
    assert told(list(config_changes(old, old.copy()))) == []


def test_where_a_socket_stands_in_the_script_is_no_change() -> None:
    old, new = CoreConfig(), CoreConfig()
    old.listen.append(SocketId("udp", "192.0.2.1", 5060))
    new.listen.append(SocketId("udp", "192.0.2.1", 5060, position=NOWHERE))
    assert list(config_changes(old, new)) == []


def test_a_copy_of_the_core_parameters_is_its_own() -> None:
    old = CoreConfig()
    new = old.copy()
    new.values["debug"] = 7
    new.listen.append(SocketId("udp", "192.0.2.1", 5060))
    assert (old.number("debug"), old.listen) == (2, [])


def test_what_has_no_effect_needs_no_restart() -> None:
    assert not any(spec.needs_restart for spec in CORE_PARAMETERS if spec.effect is not Effect.USED)
    assert {spec.name for spec in CORE_PARAMETERS if spec.needs_restart} >= {"listen", "port", "user", "tos"}


def test_parameters_of_modules() -> None:
    new = made(size=6, rate=7, names=["a", "b"], url="mysql://u:secret@h/d")
    found = list(module_changes({"stays": made()}, {"stays": new}))
    assert told(found) == [
        "stays size: 5 -> 6 !",
        "stays url: unset -> mysql://u:***@h/d !",
        "stays rate: 5 -> 7",
        "stays names: unset -> a, b",
    ]
    assert [change.name for change in found] == ["size", "url", "rate", "names"]
    (another,) = module_changes(
        {"stays": made(url="mysql://u:old@h/d")}, {"stays": made(url="mysql://u:x@h/d")}
    )
    assert str(another) == "stays url: mysql://u:***@h/d -> another password"
    (odd,) = module_changes({"stays": made(url="no://url")}, {"stays": made()})
    assert str(odd) == "stays url: no://url -> unset"


def test_files_that_hold_something_else() -> None:
    old, new = {"/a": 1, "/b": 2, "/gone": 3}, {"/a": 1, "/b": 4, "/new": 5}
    assert told(list(file_changes("core", old, new))) == ["core /b holds something else"]


def test_modules_that_come_and_go() -> None:
    running, configured = {"stays": made()}, {"comes": made(Comes)}
    (comes, goes) = module_changes(running, configured)
    assert (str(comes), comes.needs_restart) == ("comes is a module that is loaded now", False)
    assert (str(goes), goes.needs_restart) == ("stays is a module that is loaded no more", True)
    assert (comes.joins, comes.leaves, goes.joins, goes.leaves) == (True, False, False, True)


OLD = """
flags A:1, B:2;
dst_blacklist = one:{(tcp, 192.0.2.0/24, 0, "")}
dst_blacklist = two:{(tcp, 192.0.2.0/24, 0, "")}
route { if (uri == myself) { log("a"); } }
route[1] { log("b"); }
route[2] { log("c"); }
onreply_route { log("d"); }
"""

NEW = """
dst_blacklist = one:{(udp, 192.0.2.0/24, 0, "")}
flags A:1, B:3, C;
# a comment
route
{
    if(uri==myself)
        { log("a"); }
}
route[3] { log("e"); }
route[2] { log("another"); }
onreply_route { log("d"); log("d"); }
"""


def changes(old: str, new: str) -> list[str]:
    return told(list(script_changes(parse(old, "x.cfg").script, parse(new, "x.cfg").script)))


def test_routes_and_lists() -> None:
    assert changes(OLD, NEW) == [
        "flag B is changed (line 3)",
        "flag C is new (line 3)",
        "dst_blacklist one is changed (line 2)",
        "dst_blacklist two is removed",
        "route[3] is new (line 10)",
        "route[2] is changed (line 11)",
        "onreply_route is changed (line 12)",
        "route[1] is removed",
    ]
    assert changes(OLD, OLD.replace("\n", "\n\n")) == []


def test_a_route_in_another_file_is_named_with_it() -> None:
    def read(path: str) -> bytes:
        return b'\nroute[in] { log("x"); }'

    old = parse("route { exit; }", "x.cfg").script
    new = parse('route { exit; }\ninclude_file "more.cfg"', "x.cfg", read).script
    (change,) = script_changes(old, new)
    assert str(change) == "route[in] is new (more.cfg, line 2)"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (RouteKind.REQUEST, "0", "route"),
        (RouteKind.REQUEST, "in", "route[in]"),
        (RouteKind.ONREPLY, "", "onreply_route"),
        (RouteKind.EVENT, "a:b", "event_route[a:b]"),
    ],
)
def test_labels(kind: RouteKind, name: str, expected: str) -> None:
    assert label(Route(kind, name, Block(()))) == expected

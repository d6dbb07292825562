from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import Module
from openpy.engine.unused import unused_modules
from openpy.modules.cfgutils.module import Cfgutils
from openpy.modules.mi_fifo.module import MiFifo
from openpy.modules.sl.module import Sl
from openpy.modules.textops.module import Textops
from openpy.modules.tm.module import Tm
from openpy.modules.xlog.module import Xlog
from openpy.script.parser import parse
from openpy.script.syntax import Position


class Library(Module):
    """Builds on tm, and offers a function."""

    name = "library"
    needs = ("tm",)
    works_uncalled = True

    pseudo_variables = Xlog.pseudo_variables


CLASSES: tuple[type[Module], ...] = (Cfgutils, MiFifo, Sl, Textops, Tm, Xlog)
PLACE = Position("test.cfg", 1, 1, 1, 2)


def told(body: str, *classes: type[Module]) -> list[str]:
    modules = {cls.name: cls(services=None) for cls in classes or CLASSES}  # type: ignore[arg-type]  # not started
    script = parse(body, "test.cfg").script
    found = unused_modules(script, modules, dict.fromkeys(modules, PLACE))
    return [item.message.split()[1] for item in found]


@pytest.mark.parametrize(
    ("script", "used"),
    [
        ("route { exit; }", set()),
        ("route { t_relay(); }", {"tm"}),
        ('route { if (is_method("BYE")) sl_reply_error(); }', {"sl", "textops"}),
        ("route { $var(x) = $RANDOM; }", {"cfgutils"}),
        ('route { log("$(RANDOM{s.len})"); }', {"cfgutils"}),
        ('route { log("$avp(s:$RANDOM)"); }', {"cfgutils"}),
        ('route { append_hf("P: $C(rx)"); }', {"textops", "xlog"}),
        ('modparam("tm|xlog", "enable_stats", 1) route { exit; }', {"tm", "xlog"}),
        ('modparam("TM", "enable_stats", 1) route { exit; }', {"tm"}),
        ("route { exit; } event_route[sl:filtered-ack] { exit; }", {"sl"}),
    ],
)
def test_what_uses_a_module(script: str, used: set[str]) -> None:
    assert set(told(script)) == {cls.name for cls in CLASSES} - used - {"mi_fifo"}


def test_modules_that_others_need_and_those_that_work_by_themselves() -> None:
    assert told("route { exit; }", Tm, MiFifo) == ["tm"]
    assert told("route { exit; }", Tm, Library) == []


def test_the_hint_names_some_of_what_it_has(tmp_path: Path) -> None:
    modules = {"textops": Textops(services=None)}  # type: ignore[arg-type]
    (found,) = unused_modules(parse("route { exit; }", "x").script, modules, {"textops": PLACE})
    assert (found.code, found.position) == ("W318", PLACE)
    assert found.hint.startswith("take the line out, or use what it has: append_hf(), append_time(), ")
    assert found.hint.endswith(", ...")

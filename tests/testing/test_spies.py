"""Listening to functions, and taking their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from openpy.engine.run import Run
from openpy.testing.script import Script

Load = Callable[..., Script]
BOB = "sip:bob@192.0.2.9"

TEXT = """
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "textops.so"
loadmodule "xlog.so"
route {
    setflag(3);
    xlog("one $rm");
    xlog("L_INFO", "two $rm");
    if (is_method("INVITE|ACK")) { if (t_relay()) route(1); else sl_send_reply("500", "No"); }
    else sl_send_reply("200", "OK");
}
route[1] { xlog("three"); }
"""


@pytest.fixture
def script(load_script: Load) -> Script:
    return load_script(TEXT)


def test_calls_are_recorded_as_the_function_gets_them(script: Script) -> None:
    replies, methods, flags = script.spy("sl_send_reply"), script.spy("is_method"), script.spy("setflag")
    assert script.send("OPTIONS", BOB).status == 200
    assert (replies, replies.codes) == ([(200, "OK")], [1])
    assert (methods, methods.codes) == ([(frozenset({"INVITE", "ACK"}),)], [-1])
    assert flags == [(3,)]
    assert "sl_send_reply(200, 'OK') returned 1" in str(script)


def test_formats_are_expanded_and_all_forms_and_routes_are_heard(script: Script) -> None:
    logged = script.spy("xlog")
    script.send("INVITE", BOB)
    assert [call[-1] for call in logged] == ["one INVITE", "two INVITE", "three"]
    assert script.printed == ["one INVITE", "three"]


@pytest.mark.parametrize(("code", "status"), [(1, None), (-1, 500)])
def test_a_stub_only_returns_also_where_the_function_waits(
    script: Script, code: int, status: int | None
) -> None:
    relayed = script.stub("t_relay", returns=code)
    call = script.send("INVITE", BOB)
    assert (relayed, relayed.codes) == ([()], [code])
    assert call.relayed == []
    assert [item.status for item in call.replies] == ([] if status is None else [status])


def test_a_function_that_waits_is_heard(script: Script) -> None:
    relayed = script.spy("t_relay")
    assert len(script.send("INVITE", BOB).relayed) == 1
    assert (relayed, relayed.codes) == ([()], [1])


def test_a_stub_may_do_something_of_its_own(script: Script) -> None:
    def refuse(run: Run, status: int, reason: str) -> int:
        run.reply(status + 1, reason)
        return 1

    script.stub("sl_send_reply", returns=refuse)
    assert script.send("OPTIONS", BOB).status == 201


def test_the_last_one_is_heard_first_and_0_ends_the_script(script: Script) -> None:
    spy, stub = script.spy("setflag"), script.stub("setflag", returns=0)
    script.send("OPTIONS", BOB)
    assert (spy, stub) == ([], [(3,)])
    again = script.spy("setflag")
    assert script.send("OPTIONS", BOB).replies == []
    assert (again, stub) == ([(3,)], [(3,), (3,)])


def test_a_name_that_is_never_called(script: Script) -> None:
    with pytest.raises(LookupError, match=r'no route calls sl_send_replay\(\): did you mean "sl_send_reply"'):
        script.spy("sl_send_replay")
    with pytest.raises(LookupError, match=r"no route calls handle_publish\(\)$"):
        script.stub("handle_publish")

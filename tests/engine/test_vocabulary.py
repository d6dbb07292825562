from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.server import Server
from tests.engine.scripts import only


def test_a_variable_of_a_module_that_is_not_loaded_names_the_line_to_add(tmp_path: Path) -> None:
    found = only(tmp_path, "route { $var(x) = $RANDOM; drop; }")
    assert (found.code, found.hint) == ("E601", 'add loadmodule "cfgutils.so"')


def test_the_methods_that_the_checker_knows(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("route { drop; }")
    environment = Server().load(path).environment
    assert {"INVITE", "PUBLISH", *environment.unanswered} <= set(environment.methods)


def test_a_function_of_a_module_that_is_not_loaded_names_the_line_to_add(tmp_path: Path) -> None:
    found = only(tmp_path, "route { t_relay(); }")
    assert "missing loadmodule?" in found.message
    assert found.hint == 'add loadmodule "tm.so"'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('avp_aliases="mail=s:email;n=i:7"', {"mail": "email", "n": 7}),
        ('avp_aliases="Mail = s:email"', {"mail": "email"}),
    ],
)
def test_avp_aliases(tmp_path: Path, line: str, expected: dict[str, str | int]) -> None:
    path = tmp_path / "test.cfg"
    path.write_text(f"{line}\nroute {{ exit; }}")
    server = Server()
    server.load(path)
    assert server.avp_aliases == {"serial_branch": 0xFF3434} | expected


def test_a_bad_avp_alias_is_told(tmp_path: Path) -> None:
    found = only(tmp_path, '\navp_aliases="mail=i:x"\nroute { exit; }')
    assert "bad avp name" in found.message
    assert found.position.line == 2


def test_max_while_loops_is_taken_over(tmp_path: Path) -> None:
    from tests.engine.kit import evaluate, request

    before = "$var(i)=0; while(1) { $var(i)=$var(i)+1; }"
    assert evaluate(tmp_path, "$var(i)", request(), before=before, more="max_while_loops=7") == "7"


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ("core:worker-one-int", 'did you mean "core:worker-one-init"? there are core:worker-one-init, '),
        (
            "sl:local-respons",
            'did you mean "sl:local-response"? there are core:worker-one-init, sl:local-response',
        ),
        ("htable:mod-init", "there are core:worker-one-init, sl:local-response, sl:filtered-ack"),
        ("tm:local-response", 'put this line above: loadmodule "tm.so"'),
        ("E_PIKE_BLOCKED", "OpenSIPS"),
    ],
)
def test_events_that_nothing_raises(tmp_path: Path, event: str, hint: str) -> None:
    found = only(tmp_path, f'loadmodule "sl.so"\nroute {{ exit; }}\nevent_route[{event}] {{ exit; }}')
    assert found.message == f"nothing raises the event {event}"
    assert hint in found.hint


def test_an_event_route_allows_what_every_route_allows(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        'loadmodule "sl.so"\nloadmodule "xlog.so"\nroute { exit; }\n'
        'event_route[sl:filtered-ack] { xlog("x"); setflag(1); sl_send_reply("200", "OK"); }',
    )
    assert "Command cannot be used in the block: sl_send_reply() in event_route" in found.message


@pytest.mark.parametrize(
    ("flags", "call", "message"),
    [
        ("flags A:1, B;", "setflag(A); setflag(B); resetsflag(A); isbflagset(1, B);", ""),
        ("", 'setflag("ACC"); if (isflagset("ACC")) exit;', ""),
        ("flags A:1", "setflag(AB);", "there is no flag AB"),
        ("flags ACC:1", "setflag(ACCC);", 'did you mean "ACC"?'),
        ("", "setflag(32);", "32 is not between 0 and 31"),
        ("", 'setflag("a-b");', 'bad number "a-b"'),
        ("flags A:1, A", ";", "the flag A has a number already"),
        ("flags A:32", ";", "flag 32 is not between 0 and 31"),
    ],
)
def test_flags(tmp_path: Path, flags: str, call: str, message: str) -> None:
    script = f"{flags}\nroute {{ {call} drop; }}"
    if message:
        found = only(tmp_path, script)
        assert message in f"{found.message}; {found.hint}"
    else:
        path = tmp_path / "x.cfg"
        path.write_text(script)
        Server().load(path)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.engine.modulefinder import module_names
from openpy.engine.oldmodules import NOT_BUILT, REPLACED, absent
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity
from openpy.script.syntax import CoreParameter, ModuleParameter, Number, String, TopLevel

HELLO = '''
from openpy.engine.module import Module, Param

class Hello(Module):
    """Says hello."""

    name = "hello"
    word = Param(str, "hello", "What to say")
'''


def problems(folder: Path, script: str) -> list[Diagnostic]:
    path = folder / "test.cfg"
    path.write_text(script)
    try:
        loaded = Server().load(path)
    except ScriptError as error:
        return list(error.diagnostics)
    return list(loaded.warnings)


def only(folder: Path, script: str) -> Diagnostic:
    (found,) = problems(folder, script)
    return found


# --- loadmodule and mpath -----------------------------------------------------------------------------------------


def test_a_module_of_ones_own_is_loaded_and_configured(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    script = f'mpath="{tmp_path}/"\nloadmodule "hello.so"\nmodparam("hello", "word", "hi")\nroute {{ exit; }}'
    assert problems(tmp_path, script) == []


@pytest.mark.parametrize(
    ("source", "text", "hint"),
    [
        ("import no_such_package\n", "ModuleNotFoundError", "pip install no_such_package"),
        ("def broken(:\n", "SyntaxError", ""),
        ("1 // 0\n", "ZeroDivisionError", ""),
        ("x = 1\n", "holds no module class", ""),
    ],
)
def test_a_module_that_cannot_be_imported_is_an_error_at_its_line(
    tmp_path: Path, source: str, text: str, hint: str
) -> None:
    (tmp_path / "hello.py").write_text(source)
    found = only(tmp_path, f'mpath="{tmp_path}"\nloadmodule "hello.so"\nroute {{ exit; }}')
    assert found.position.line == 2
    assert found.message.startswith("failed to load module")
    assert text in found.message
    assert hint in found.hint


# --- loadmodule -------------------------------------------------------------------------------------------------


def test_loading_twice_is_only_a_warning(tmp_path: Path) -> None:
    found = only(tmp_path, 'loadmodule "tm.so"\nloadmodule "tm"\nroute { exit; }')
    assert found.severity is Severity.WARNING
    assert "attempting to load the same module twice" in found.message


def test_a_module_that_needs_another_names_the_line_to_add(tmp_path: Path) -> None:
    script = 'mpath="{}"\nloadmodule "needy.so"\n{}route {{ exit; }}'
    (tmp_path / "needy.py").write_text(
        HELLO.replace('name = "hello"', 'name = "needy"\n    needs = ("tm", "database")')
    )
    found = problems(tmp_path, script.format(tmp_path, 'loadmodule "tm.so"\n'))
    assert [(d.message, d.hint, d.position.line) for d in found] == [
        ("needy needs tm, which is not loaded before it", 'put this line above: loadmodule "tm.so"', 2),
        ("needy needs a database module, which is not loaded before it",
         'put this line above: loadmodule "sqlite.so"', 2),
    ]  # fmt: skip
    presence = 'loadmodule "sl.so" loadmodule "tm.so" loadmodule "presence.so" route {{ exit; }}\n'
    url = 'modparam("presence", "db_url", "mysql://u:p@h/d")'
    (wanted,) = problems(tmp_path, presence.format() + url)
    assert wanted.hint == 'put this line above: loadmodule "mysql.so"'
    before = f'mpath="{tmp_path}" loadmodule "tm.so" loadmodule "sqlite.so" loadmodule "needy.so" route {{ exit; }}'
    assert problems(tmp_path, before) == []


def test_what_a_module_needs_its_parameters_may_say(tmp_path: Path) -> None:
    more = """    needs = ("tm",)

    def requirements(self):
        return self.needs if self.word else ()
"""
    (tmp_path / "hello.py").write_text(HELLO + more)
    script = f'mpath="{tmp_path}"\nloadmodule "hello.so"\nmodparam("hello", "word", "")\nroute {{ exit; }}'
    assert problems(tmp_path, script) == []
    assert only(tmp_path, script.replace('""', '"hi"')).message.startswith("hello needs tm")


def test_d12_presence_without_a_database_is_a_library(tmp_path: Path) -> None:
    script = 'loadmodule "presence.so"\nroute {{ {} }}'
    assert problems(tmp_path, script.format("exit;")) == []
    found = only(tmp_path, script.format("handle_publish(); exit;"))
    assert found.message == "handle_publish() cannot be used: presence has no database"
    assert 'modparam("presence", "db_url"' in found.hint
    assert (found.severity, found.position.line) == (Severity.ERROR, 2)
    mistaken = problems(tmp_path, script.format("handle_publish(); exit") + "\n")
    assert "cannot be used" not in " ".join(item.message for item in mistaken)


@pytest.mark.parametrize("name", sorted({*NOT_BUILT, *REPLACED}.difference(module_names())))
def test_modules_of_1_3_that_are_not_part_of_this_version(tmp_path: Path, name: str) -> None:
    """What only they could have is not told as well: functions, variables, parameters, events."""
    script = f"""loadmodule "{name}.so"
modparam("{name}", "some", 1)
route {{ if (some_function("$some_variable")) {{ xlog("x"); }} $some_variable = 1; }}
event_route[{name}:event] {{ exit; }}"""
    found = only(tmp_path, script)
    reason, hint = absent(name) or ("", "")
    assert found.message == f"failed to load module: could not open module <{name}.so>: {reason}"
    assert found.hint == hint


# --- modparam ---------------------------------------------------------------------------------------------------

LOADS = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "xlog.so"\n'


@pytest.mark.parametrize(
    ("modules", "name", "value", "text"),
    [
        ("usrloc", "db_mode", "0", "no module matching usrloc found"),
        ("tm", "fr_tmer", "5", "parameter <fr_tmer> not found in module <tm>"),
        ("tm", "fr_timer", '"5"', 'parameter "fr_timer" of tm takes a number'),
        ("xlog", "buf_size", '"5"', 'parameter "buf_size" of xlog takes a number'),
        ("tm", "fr_timer", "1", "must be at least 2"),
        ("tm", "fr_timer", "-1", "must be at least 2"),
        ("(", "x", "1", ""),
        ("tm|xlog", "buf_size", "9", "parameter <buf_size> not found in module <tm>"),
    ],
)
def test_modparam_errors(tmp_path: Path, modules: str, name: str, value: str, text: str) -> None:
    found = only(tmp_path, f'{LOADS}modparam("{modules}", "{name}", {value})\nroute {{ exit; }}')
    assert found.severity is Severity.ERROR
    assert found.position.line == 4
    assert text in found.message


@pytest.mark.parametrize(
    ("modules", "name", "hint"),
    [
        ("xlg", "x", 'did you mean "xlog"?'),
        ("usrloc", "x", 'load it above: loadmodule "usrloc.so"'),
        ("tm", "fr_tmer", 'did you mean "fr_timer"?'),
    ],
)
def test_modparam_hints(tmp_path: Path, modules: str, name: str, hint: str) -> None:
    assert only(tmp_path, f'{LOADS}modparam("{modules}", "{name}", 1)\nroute {{ exit; }}').hint == hint


def test_one_modparam_may_set_several_modules(tmp_path: Path) -> None:
    path = tmp_path / "test.cfg"
    path.write_text(f'{LOADS}modparam("sl|TM", "enable_stats", no)\nroute {{ exit; }}')
    server = Server()
    server.load(path)
    assert [getattr(server.modules[name], "enable_stats") for name in ("sl", "tm")] == [0, 0]  # noqa: B009


def test_a_module_checks_itself_after_the_whole_script_is_read(tmp_path: Path) -> None:
    script = f'{LOADS}modparam("tm", "T1_timer", 5000)\n{{}}route {{{{ exit; }}}}'
    found = only(tmp_path, script.format(""))
    assert (found.message, found.position.line) == ("tm: T2 must be greater than T1", 2)
    assert problems(tmp_path, script.format('modparam("tm", "T2_timer", 9000)\n')) == []


# --- blocks that are not built --------------------------------------------------------------------------------


@pytest.mark.parametrize("block", ["tls_server_domain[192.0.2.1:5061]", 'tls_client_domain["a.example"]'])
def test_a_tls_domain_is_refused(tmp_path: Path, block: str) -> None:
    found = only(tmp_path, f'{block} {{ tls_certificate="x" }}\nroute {{ exit; }}')
    assert found.severity is Severity.ERROR
    assert f"{block.partition('[')[0]}: TLS is not built" in found.message


def test_blacklists_are_found_by_their_names(tmp_path: Path) -> None:
    rules = '{(udp,10.0.0.0/8,5060,"")}'
    assert problems(tmp_path, f'dst_blacklist=gateways:{rules}\nroute {{ use_blacklist("gateways"); }}') == []
    found = only(tmp_path, f'dst_blacklist=gateways:{rules}\nroute {{ use_blacklist("gatewys"); }}')
    assert found.position.line == 2
    assert 'there is no blacklist "gatewys"; did you mean "gateways"' in found.message
    twice = only(
        tmp_path, f"dst_blacklist=gateways:{rules}\ndst_blacklist=gateways:{rules}\nroute {{ exit; }}"
    )
    assert (twice.message, twice.position.line) == (
        "dst_blacklist gateways: that is the name of a line above",
        2,
    )


def test_the_blacklist_of_dead_destinations_is_there_where_it_is_kept(tmp_path: Path) -> None:
    use = 'route { use_blacklist("dns"); }'
    assert 'there is no blacklist "dns"' in only(tmp_path, use).message
    assert problems(tmp_path, f"disable_dns_blacklist=no\n{use}") == []
    own = only(tmp_path, 'dst_blacklist=dns:{(udp,10.0.0.0/8,5060,"")}\nroute { exit; }')
    assert own.message == "dst_blacklist dns: that is the name of the dead destinations"


def test_a_mistake_in_a_blacklist_is_told_once(tmp_path: Path) -> None:
    text = 'dst_blacklist=gw:{(udp,host,5060,"")}\nroute { use_blacklist("gw"); }'
    assert "an address or a network is expected" in only(tmp_path, text).message


# --- the whole file ---------------------------------------------------------------------------------------------


def test_all_errors_of_a_file_come_in_one_run_and_in_order(tmp_path: Path) -> None:
    script = """debug="x"
chidren=4
loadmodule "xlg.so"
loadmodule "sl.so"
modparam("sl", "enable_stat", 1)
route {
    sl_send_reply("99", "Odd");
    t_relay();
    route(7);
}
"""
    found = problems(tmp_path, script)
    errors = [d.position.line for d in found if d.severity is Severity.ERROR]
    assert errors == [1, 2, 3, 5, 7, 8]
    assert [d.position.line for d in found if d.severity is Severity.WARNING] == [9]


def test_errors_beside_mistakes_of_syntax_come_in_the_same_run(tmp_path: Path) -> None:
    script = """debug="x"
loadmodule "sl.so"
loadmodule textops.so
modparam("textops", "odd", 1)
loadmodule "presence.so"
route {
    sl_send_replyy("200", "OK");
    $ru = 5 +;
    if (is_method("X") exit;
    if ($xx == 1) exit;
    if (is_method("X", "Y")) exit;
    route(7);
}
route[41] { exit; }
"""
    found = problems(tmp_path, script)
    assert [d.position.line for d in found] == [1, 3, 7, 8, 9, 10, 11, 14]
    assert all(d.severity is Severity.ERROR for d in found)


def test_what_a_module_lacks_is_told_with_the_errors_of_the_routes(tmp_path: Path) -> None:
    lacking = "\n    def check(self):\n        raise ModuleError('no word', 'add one')\n"
    (tmp_path / "hello.py").write_text(HELLO.replace("Module,", "Module, ModuleError,") + lacking)
    loads = f'mpath="{tmp_path}"\nloadmodule "tm.so"\nloadmodule "hello.so"\n'
    found = problems(tmp_path, f"{loads}route {{ t_relayy(); }}")
    assert [d.position.line for d in found] == [3, 4]


def test_a_module_that_is_not_loaded_is_told_once_a_function(tmp_path: Path) -> None:
    found = problems(tmp_path, 'route { xlog("a");\nxlog("b");\nt_relay();\nxlogg("c");\nxlogg("d"); }')
    assert [d.position.line for d in found] == [1, 3, 4, 5]


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


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        Server().load(tmp_path / "absent.cfg")


def test_further_parameters_count_as_if_they_stood_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text('loadmodule "tm.so"\nmodparam("tm", "fr_timer", 10)\ndebug=1\nroute { exit; }\n')
    server = Server()
    further: list[TopLevel] = [
        ModuleParameter(String("tm"), String("fr_timer"), Number(5)),
        CoreParameter("debug", Number(3)),
    ]
    server.load(path, further=further)
    tm: Any = server.modules["tm"]
    assert (tm.fr_timer, server.config.number("debug")) == (5, 3)


# --- other dialects ---------------------------------------------------------------------------------------------


def test_files_are_read_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.cfg").write_text('import_file "absent.cfg"\ninclude_file "b.cfg"\n')
    (tmp_path / "parts" / "b.cfg").write_text("route[B] { exit; }\n")
    path = tmp_path / "x.cfg"
    path.write_text('include_file "parts/a.cfg"\nroute { route(B); }')
    loaded = Server().load(path)
    assert loaded.warnings == ()
    (route,) = [key for key in loaded.program.routes if key[1] == "B"]
    assert loaded.program.routes[route].position.file == str(tmp_path / "parts" / "b.cfg")


def test_what_is_beside_a_mistake_in_another_file_is_told(tmp_path: Path) -> None:
    """Errors on the line of a mistake follow from it, but not those on that line of another file."""
    (tmp_path / "a.cfg").write_text("route[A] { nothing_known(); }")
    found = problems(tmp_path, 'include_file "a.cfg" foo\nroute { exit; }')
    assert ["foo begins no statement" in found[0].message, "nothing_known" in found[1].message] == [
        True,
        True,
    ]


def test_names_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("debug=LEVEL\nroute { exit; }")
    server = Server()
    server.load(path, [("LEVEL", "4")])
    assert server.config.number("debug") == 4


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
        ("flags A:1", "setflag(AB);", "there is no flag AB; "),
        ("flags ACC:1", "setflag(ACCC);", 'did you mean "ACC"?'),
        ("", "setflag(32);", "32 is not between 0 and 31"),
        ("", 'setflag("a-b");', 'bad number "a-b"'),
        ("flags A:1, A", ";", "the flag A has a number already"),
        ("flags A:32", ";", "flag 32 is not between 0 and 31"),
    ],
)
def test_flags(tmp_path: Path, flags: str, call: str, message: str) -> None:
    script = f"{flags}\nroute {{ {call} }}"
    if message:
        assert message in only(tmp_path, script).message
    else:
        path = tmp_path / "x.cfg"
        path.write_text(script)
        Server().load(path)

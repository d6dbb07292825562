from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.modulefinder import module_names
from openpy.engine.oldmodules import NOT_BUILT, REPLACED, absent
from openpy.engine.server import Server
from openpy.script import dialects
from openpy.script.diagnostics import Severity
from tests.engine.scripts import only, problems

HELLO = '''
from openpy.engine.module import Module, Param

class Hello(Module):
    """Says hello."""

    name = "hello"
    word = Param(str, "hello", "What to say")
'''

LOADS = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "xlog.so"\n'

PREPARED = '''
from openpy.engine.module import ArgumentError, Environment, Module, ModuleError, Param

class Prepared(Module):
    """Knows what a script can name."""

    name = "prepared"
    variable = Param(str, "ru", "What to look for")

    def prepare(self, environment: Environment) -> None:
        if self.variable == "bad":
            raise ModuleError("prepared has a bad variable", "write another")
        if self.variable not in environment.pseudo_variables:
            raise ArgumentError(f"there is no ${self.variable}")
'''


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


def test_loading_twice_is_only_a_warning(tmp_path: Path) -> None:
    found = only(tmp_path, 'loadmodule "tm.so"\nloadmodule "tm"\nroute { t_relay(); }')
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
    assert found.hint == hint != ""
    assert (found.position.line, found.position.column) == (1, 1)


@pytest.mark.parametrize("name", dialects.MODULES)
def test_modules_of_other_servers(tmp_path: Path, name: str) -> None:
    """None is taken for a misspelt one of ours, and what only they could have is not told as well."""
    assert name not in module_names()
    found = only(
        tmp_path, f'loadmodule "{name}.so"\nmodparam("{name}", "x", 1)\nroute {{ some_function(); }}'
    )
    assert found.hint == dialects.MODULES[name]


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
    body = 'xlog("$rm"); if (!t_relay()) sl_reply_error();'
    script = f'{LOADS}modparam("tm", "T1_timer", 5000)\n{{}}route {{{{ {body} }}}}'
    found = only(tmp_path, script.format(""))
    assert (found.message, found.position.line) == ("tm: T2 must be greater than T1", 2)
    assert problems(tmp_path, script.format('modparam("tm", "T2_timer", 9000)\n')) == []


def test_what_a_module_lacks_is_told_with_the_errors_of_the_routes(tmp_path: Path) -> None:
    lacking = "\n    def check(self):\n        raise ModuleError('no word', 'add one')\n"
    (tmp_path / "hello.py").write_text(HELLO.replace("Module,", "Module, ModuleError,") + lacking)
    loads = f'mpath="{tmp_path}"\nloadmodule "tm.so"\nloadmodule "hello.so"\n'
    found = problems(tmp_path, f"{loads}route {{ t_relayy(); }}")
    assert [d.position.line for d in found] == [3, 4]


def test_a_module_that_is_not_loaded_is_told_once(tmp_path: Path) -> None:
    found = problems(tmp_path, 'route { xlog("a");\nxdbg("b");\nt_relay();\nxlogg("c");\nxlogg("d"); }')
    assert [d.position.line for d in found] == [1, 3, 4, 5]


def test_a_line_that_is_missing_is_told_once_for_parameters_and_functions(tmp_path: Path) -> None:
    script = """modparam("xlog", "buf_size", 1)
modparam("xlog", "force_color", 1)
modparam("tm|xlog", "x", 1)
loadmodule "presence_mwi.so"
route { xlog("a"); t_relay(); handle_publish(); }"""
    found = problems(tmp_path, script)
    assert [(d.code, d.position.line) for d in found] == [("E314", 1), ("E314", 3), ("E312", 4)]
    assert found[0].hint == 'load it above: loadmodule "xlog.so"'


def test_a_misspelt_module_is_the_one_that_was_meant(tmp_path: Path) -> None:
    script = """loadmodule "sll.so"
loadmodule "tm.so"
loadmodule "xlogg.so"
modparam("sll", "x", 1)
route { sl_reply_error(); sl_send_reply("1"); xlog("$C(rx)"); $var(x) = $CC(rx); drop; }"""
    found = problems(tmp_path, script)
    assert [(d.code, d.position.line, d.hint) for d in found] == [
        ("E311", 1, 'did you mean "sl"?'),
        ("E311", 3, 'did you mean "xlog"?'),
        ("E502", 5, "sl_send_reply(code, reason)"),
        ("E601", 5, ""),
    ]


def test_a_module_that_is_like_no_other_may_have_anything(tmp_path: Path) -> None:
    script = 'loadmodule "zzzzz.so"\nroute { if (anything("$of_it")) { drop; } $what = 1; drop; }'
    assert only(tmp_path, script).code == "E311"


def test_modules_that_are_missing_are_looked_for_a_hundred_times(tmp_path: Path) -> None:
    script = "".join(f'loadmodule "zz{n}zz.so"\n' for n in range(120)) + "route { drop; }"
    assert len(problems(tmp_path, script)) == 100


@pytest.mark.parametrize(
    ("variable", "message", "hint"),
    [
        ("ru", "", ""),
        ("T_reply_code", "", ""),
        ("nosuch", "prepared: there is no $nosuch", ""),
        ("bad", "prepared has a bad variable", "write another"),
    ],
)
def test_parameters_may_name_what_the_script_can(
    tmp_path: Path, variable: str, message: str, hint: str
) -> None:
    """Of modules that are loaded later, too."""
    (tmp_path / "prepared.py").write_text(PREPARED)
    script = (
        f'mpath="{tmp_path}/"\nloadmodule "prepared.so"\nloadmodule "tm.so"\n'
        f'modparam("prepared", "variable", "{variable}")\nroute {{ t_relay(); }}'
    )
    if not message:
        assert problems(tmp_path, script) == []
        return
    found = only(tmp_path, script)
    assert (found.message, found.hint, found.position.line) == (message, hint, 2)

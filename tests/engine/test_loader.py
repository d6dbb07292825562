from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.engine.loader import examine
from openpy.engine.server import Server
from openpy.script.diagnostics import ScriptError, Severity
from openpy.script.syntax import CoreParameter, ModuleParameter, Number, String, TopLevel
from tests.engine.scripts import only, problems


def test_d12_presence_without_a_database_is_a_library(tmp_path: Path) -> None:
    script = 'loadmodule "presence.so"\nroute {{ {} }}'
    assert problems(tmp_path, script.format("exit;")) == []
    found = only(tmp_path, script.format("handle_publish(); exit;"))
    assert found.message == "handle_publish() cannot be used: presence has no database"
    assert 'modparam("presence", "db_url"' in found.hint
    assert (found.severity, found.position.line) == (Severity.ERROR, 2)
    mistaken = problems(tmp_path, script.format("handle_publish(); exit") + "\n")
    assert "cannot be used" not in " ".join(item.message for item in mistaken)


LOADS = 'loadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "xlog.so"\n'


@pytest.mark.parametrize("block", ["tls_server_domain[192.0.2.1:5061]", 'tls_client_domain["a.example"]'])
def test_the_files_of_a_tls_domain_are_read_where_tls_is_on(tmp_path: Path, block: str) -> None:
    script = f'{block} {{ tls_certificate="x" }}\nroute {{ exit; }}'
    assert problems(tmp_path, script) == []
    listening = f"listen=tls:127.0.0.1:5061\n{script}"
    found = [each for each in problems(tmp_path, listening) if each.position.line == 2]
    assert [each.message for each in found] == [
        "tls_certificate: x cannot be read: No such file or directory"
    ]


def test_blacklists_are_found_by_their_names(tmp_path: Path) -> None:
    rules = '{(udp,10.0.0.0/8,5060,"")}'
    assert (
        problems(tmp_path, f'dst_blacklist=gateways:{rules}\nroute {{ use_blacklist("gateways"); drop; }}')
        == []
    )
    found = only(tmp_path, f'dst_blacklist=gateways:{rules}\nroute {{ use_blacklist("gatewys"); drop; }}')
    assert found.position.line == 2
    assert (found.code, found.message, found.hint) == (
        "E503",
        'argument 1 of use_blacklist(): there is no blacklist "gatewys"',
        'did you mean "gateways"?',
    )
    twice = only(
        tmp_path, f"dst_blacklist=gateways:{rules}\ndst_blacklist=gateways:{rules}\nroute {{ exit; }}"
    )
    assert (twice.message, twice.position.line) == (
        "dst_blacklist gateways: that is the name of a line above",
        2,
    )


def test_the_blacklist_of_dead_destinations_is_there_where_it_is_kept(tmp_path: Path) -> None:
    use = 'route { use_blacklist("dns"); drop; }'
    assert 'there is no blacklist "dns"' in only(tmp_path, use).message
    assert problems(tmp_path, f"disable_dns_blacklist=no\n{use}") == []
    own = only(tmp_path, 'dst_blacklist=dns:{(udp,10.0.0.0/8,5060,"")}\nroute { exit; }')
    assert own.message == "dst_blacklist dns: that is the name of the dead destinations"


def test_a_mistake_in_a_blacklist_is_told_once(tmp_path: Path) -> None:
    text = 'dst_blacklist=gw:{(udp,host,5060,"")}\nroute { use_blacklist("gw"); }'
    assert "an address or a network is expected" in only(tmp_path, text).message


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


def test_warnings_come_in_the_order_of_the_script(tmp_path: Path) -> None:
    found = problems(
        tmp_path, 'loadmodule "tm.so"\nroute { ; }\nroute[1] { exit; say(); }'.replace("say()", "exit")
    )
    assert [(d.code, d.position.line) for d in found] == [("W318", 1), ("W803", 2), ("W406", 3), ("W801", 3)]


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


def test_a_wrong_script_is_examined_all_the_same() -> None:
    server = Server()
    texts = {"a.cfg": b'loadmodule "tm.so"\ninclude_file "b.cfg"\nroute { foo(); }\n', "b.cfg": b"debug=x\n"}
    examined = examine("a.cfg", server, server.config, server.modules, read=texts.__getitem__)
    assert [(item.position.file, item.position.line) for item in examined.found] == [
        ("a.cfg", 3),
        ("b.cfg", 1),
    ]
    assert list(examined.modules) == ["tm"]
    assert "t_relay" in examined.environment.functions
    with pytest.raises(ScriptError):
        examine("c.cfg", server, server.config, server.modules, read=lambda path: b'route { a("')


def test_the_folder_of_the_script_is_known(tmp_path: Path) -> None:
    path = tmp_path / "test.cfg"
    path.write_text("route { exit; }")
    assert Server().load(path).environment.folder == tmp_path

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.errors import Unavailable
from openpy.db.url import DatabaseUrl
from openpy.engine.module import ModuleError
from openpy.modules.dispatcher.module import Dispatcher
from openpy.modules.dispatcher.tables import Dispatcher as DispatcherTable
from openpy.modules.sqlite.dialect import SqliteDialect
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from openpy.testing.server import QuickDialect
from tests.engine.kit import Bench, answer, request
from tests.modules.accounts import fill, printed, script_of, setting
from tests.modules.dispatcher.kit import AVPS, LIST, A, B, C, D, balancer, command, listed

CHOOSE = 'if (ds_select_dst("1", "9")) xlog("$du"); else xlog("$retcode");'


def codes(folder: Path, route: str, message: bytes = b"", *, more: str = "", text: str = LIST) -> list[str]:
    with balancer(folder, route, more=more, text=text) as bench:
        bench.receive(message or request())
        return list(bench.printed())


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Dispatcher.parameters().items()} == {
        "list_file": "/usr/local/etc/openser/dispatcher.list",
        "db_url": "",
        "table_name": "dispatcher",
        "setid_col": "setid",
        "destination_col": "destination",
        "force_dst": 0,
        "flags": 0,
        "use_default": 0,
        "dst_avp": "",
        "grp_avp": "",
        "cnt_avp": "",
        "ds_ping_method": "OPTIONS",
        "ds_ping_from": "sip:dispatcher@localhost",
        "ds_ping_interval": 0,
        "ds_probing_threshhold": 3,
    }


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("flags", 4, "flags is 0 to 3, not 4"),
        ("force_dst", 2, "0 or 1 expected, not 2"),
        ("dst_avp", "$ru", "is no AVP"),
        ("ds_ping_method", "INVITE", '"INVITE" is no method to ask with'),
        ("ds_ping_method", "O P", '"O P" is no method to ask with'),
        ("ds_ping_from", "nobody", '"nobody" is no URI'),
        ("ds_ping_interval", -1, "0 or more expected, not -1"),
        ("ds_probing_threshhold", 0, "1 or more expected, not 0"),
        ("db_url", "mysql://x/y", "needs a database"),
    ],
)
def test_wrong_parameters_stop_the_start(tmp_path: Path, name: str, value: str | int, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        balancer(tmp_path, CHOOSE, more=setting("dispatcher", name, value))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"no dispatching list loaded from file: can't open list file"),
        ("1 x\n", '1: "x" is no SIP URI'),
    ],
)
def test_a_wrong_list_stops_the_start(tmp_path: Path, text: str | None, told: str) -> None:
    (tmp_path / "list").write_text(text or "")
    path = tmp_path / ("list" if text else "absent")
    with pytest.raises(ModuleError, match=told):
        Bench(tmp_path, more=setting("dispatcher", "list_file", str(path)), modules=("xlog", "dispatcher"))


def test_what_is_told_at_the_start(tmp_path: Path) -> None:
    more = setting("dispatcher", "flags", 2) + setting("dispatcher", "ds_ping_interval", 10)
    with balancer(tmp_path, CHOOSE, more=more, text="", modules=("xlog",)) as bench:
        assert [line for line in bench.log if "dispatcher" in line] == [
            "WARNING:dispatcher: flags 2 asks for fail-over, which needs dst_avp: ds_next_dst finds nothing",
            "WARNING:dispatcher: ds_ping_interval has no effect without tm:"
            ' put this line above: loadmodule "tm.so"',
            "WARNING:dispatcher: the list of destinations is empty",
        ]


# --- choosing -------------------------------------------------------------------------------------------------------


def test_the_next_hop(tmp_path: Path) -> None:
    with balancer(tmp_path, 'ds_select_dst("2", "0"); forward();') as bench:
        (sent,) = bench.receive(request("OPTIONS", "sip:bob@biloxi.example"))
        assert (sent.to, sent.start) == ("udp:192.0.2.14:5070", "OPTIONS sip:bob@biloxi.example SIP/2.0")


def test_a_next_hop_that_is_set(tmp_path: Path) -> None:
    route = f'$du = "sip:192.0.2.99"; {CHOOSE} xlog("$du");'
    assert codes(tmp_path, route) == ["-1", "sip:192.0.2.99"]
    assert codes(tmp_path, route, more=setting("dispatcher", "force_dst", 1)) == [A, A]


@pytest.mark.parametrize(
    ("uri", "line", "expected"),
    [
        ("sip:bob@biloxi.example:5080;x=y", "sip:192.0.2.11", "sip:bob@192.0.2.11;x=y"),
        (
            "sip:bob@biloxi.example;transport=udp;x",
            "sip:gw:5070;transport=tcp",
            "sip:bob@gw:5070;x;transport=tcp",
        ),
        ("sip:bob@biloxi.example;Transport=tcp", "sip:[2001:db8::1]:5070", "sip:bob@[2001:db8::1]:5070"),
        ("tel:+123", "sip:192.0.2.11", "sip:+123@192.0.2.11"),
        ("http://x", "sip:192.0.2.11", "-1"),
    ],
)
def test_the_domain(tmp_path: Path, uri: str, line: str, expected: str) -> None:
    route = f'$ru = "{uri}"; if (ds_select_domain("1", "9")) xlog("$ru"); else xlog("$retcode");'
    assert codes(tmp_path, route, text=f"1 {line}\n") == [expected]


def test_the_next_domain(tmp_path: Path) -> None:
    more = AVPS + "failure_route[1] { if (ds_next_domain()) t_relay(); }"
    route = 'ds_select_domain("1", "9"); t_on_failure("1"); t_relay();'
    with balancer(tmp_path, route, more=more) as bench:
        bench.receive(request("MESSAGE", "sip:bob@biloxi.example"))
        (sent,) = bench.receive(answer(bench.sent[-1], 503))
        assert sent.start == "MESSAGE sip:bob@192.0.2.12 SIP/2.0"


def test_where_all_are_out(tmp_path: Path) -> None:
    for use_default, expected in ((0, "-1"), (1, C)):
        more = setting("dispatcher", "use_default", use_default)
        with balancer(tmp_path, CHOOSE, more=more) as bench:
            for uri in (A, B, C):
                command(bench, "ds_set_state", "i", "1", uri)
            bench.receive(request())
            assert list(bench.printed()) == [expected]


def test_in_other_routes_they_are_unknown(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="ds_next_dst"):
        balancer(tmp_path, "ds_next_dst();")
    with pytest.raises(ScriptError, match="ds_select_dst"):
        balancer(tmp_path, "exit;", more='failure_route[1] { ds_select_dst("1", "4"); }')


# --- states ---------------------------------------------------------------------------------------------------------


def failing(folder: Path, mark: str, times: int, *, status: int = 503, more: str = "") -> Bench:
    """A bench on which so many calls have met this status at the first destination."""
    fail = f"failure_route[1] {{ {mark} exit; }}"
    route = 'ds_select_dst("1", "9"); t_on_failure("1"); t_relay();'
    bench = balancer(folder, route, more=AVPS + more + fail)
    for number in range(times):
        bench.receive(request("MESSAGE", "sip:b@x", call_id=f"c{number}", branch=f"z9hG4bK{number}"))
        bench.receive(answer(bench.sent[-1], status))
    bench.close()
    return bench


@pytest.mark.parametrize(
    ("mark", "times", "flag"),
    [
        ("ds_mark_dst();", 1, "I"),
        ('ds_mark_dst("I");', 1, "I"),
        ('ds_mark_dst("p");', 2, "A"),
        ('ds_mark_dst("p");', 3, "P"),
        ('ds_mark_dst(); ds_mark_dst("1");', 1, "A"),
        ("ds_next_dst(); ds_mark_dst();", 1, "A"),
    ],
)
def test_marks(tmp_path: Path, mark: str, times: int, flag: str) -> None:
    bench = failing(tmp_path, mark, times)
    assert listed(bench)[0] == f"1 {A} {flag}"
    assert listed(bench)[1] == f"1 {B} {'I' if 'next' in mark else 'A'}"


def test_the_threshold(tmp_path: Path) -> None:
    more = setting("dispatcher", "ds_probing_threshhold", 1)
    assert listed(failing(tmp_path, 'ds_mark_dst("p");', 1, more=more))[0] == f"1 {A} P"


def test_a_success_in_between(tmp_path: Path) -> None:
    bench = failing(tmp_path, 'ds_mark_dst("p");', 2)
    for number, status in enumerate((200, 503, 503)):
        assert listed(bench)[0] == f"1 {A} A"
        bench.receive(request("MESSAGE", "sip:b@x", call_id=f"d{number}", branch=f"z9hG4bKd{number}"))
        bench.receive(answer(bench.sent[-1], status))
    assert listed(bench)[0] == f"1 {A} A"


def test_nothing_to_mark(tmp_path: Path) -> None:
    more = 'failure_route[1] { if (!ds_mark_dst()) xlog("nothing"); if (!ds_next_dst()) xlog("none"); }'
    with balancer(tmp_path, '$du = "sip:192.0.2.9"; t_on_failure("1"); t_relay();', more=more) as bench:
        bench.receive(request("MESSAGE", "sip:b@x"))
        bench.receive(answer(bench.sent[-1], 503))
        assert list(bench.printed()) == ["nothing", "none"]


def test_a_call_to_what_is_out_already_goes_on(tmp_path: Path) -> None:
    """A destination that another list does not have any more gets the answers to what it was sent."""
    with balancer(tmp_path, 'ds_select_dst("1", "9"); t_relay();', more=AVPS) as bench:
        bench.receive(request("MESSAGE", "sip:b@x"))
        (tmp_path / "list").write_text("1 sip:192.0.2.77\n")
        module = bench.server.module("dispatcher")
        assert isinstance(module, Dispatcher)
        module._take([(1, "sip:192.0.2.77")])
        bench.receive(answer(bench.sent[-1], 200))
        assert bench.sent[-1].start == "SIP/2.0 200 Reason"


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "argument", "code"),
    [
        ("192.0.2.11", 5060, "", "1"),
        ("192.0.2.14", 5070, "", "1"),
        ("192.0.2.14", 5060, "", "-1"),
        ("192.0.2.14", 5070, '"2"', "1"),
        ("192.0.2.14", 5070, '"1"', "-1"),
        ("192.0.2.14", 5070, '"-1"', "1"),
        ("192.0.2.14", 5070, '"8"', "-1"),
    ],
)
def test_who_is_on_the_list(tmp_path: Path, host: str, port: int, argument: str, code: str) -> None:
    with balancer(tmp_path, f'ds_is_from_list({argument}); xlog("$retcode");') as bench:
        bench.receive(request(), bench.phone(host=host, port=port))
        assert list(bench.printed()) == [code]


def test_a_reply_comes_from_the_list(tmp_path: Path) -> None:
    more = 'onreply_route { if (ds_is_from_list()) xlog("ours"); else xlog("strange"); }'
    with balancer(tmp_path, 'ds_select_dst("1", "9"); t_relay();', more=more) as bench:
        bench.receive(request("MESSAGE", "sip:b@x"))
        for host in ("192.0.2.11", "192.0.2.66"):
            bench.receive(answer(bench.sent[0], 180), bench.phone(host=host, port=5060))
        assert list(bench.printed()) == ["ours", "strange"]


# --- management commands --------------------------------------------------------------------------------------------


def test_the_list_is_listed(tmp_path: Path) -> None:
    with balancer(tmp_path, CHOOSE) as bench:
        reply = command(bench, "ds_list")
        assert [(node.name, node.value) for node in reply.nodes] == [
            ("SET_NO", "2"),
            ("SET", "1"),
            ("SET", "2"),
        ]
        assert [(node.name, node.value, node.attributes) for node in reply.nodes[2].children] == [
            ("URI", f"{D}:5070", {"flag": "A"})
        ]
    with balancer(tmp_path, CHOOSE, text="") as bench:
        assert command(bench, "ds_list").nodes == []


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        (("i", "1", A), (200, "OK")),
        (("x", "1", A), (500, "bad state value")),
        (("", "1", A), (500, "bad state value")),
        (("i", "one", A), (500, "bad group value")),
        (("i", "2", A), (404, "destination not found")),
        (("i", "1"), (400, "Too few or too many arguments")),
        (("i", "1", A, "x"), (400, "Too few or too many arguments")),
    ],
)
def test_set_state(tmp_path: Path, values: tuple[str, ...], answer: tuple[int, str]) -> None:
    with balancer(tmp_path, CHOOSE) as bench:
        reply = command(bench, "ds_set_state", *values)
        assert (reply.code, reply.reason) == answer
        assert listed(bench)[0] == f"1 {A} {'I' if reply.code == 200 else 'A'}"


def test_the_states(tmp_path: Path) -> None:
    with balancer(tmp_path, CHOOSE) as bench:
        for word, flag in (("I", "I"), ("inactive", "I"), ("p", "P"), ("2", "P"), ("a", "A"), ("A", "A")):
            command(bench, "ds_set_state", word, "1", A)
            assert listed(bench)[0] == f"1 {A} {flag}"
        assert [line for line in bench.log if "of set 1 is" in line] == [
            f"NOTICE:dispatcher: {A} of set 1 is inactive",
            f"NOTICE:dispatcher: {A} of set 1 is probing, and nobody probes it: ds_ping_interval, or the command"
            " ds_set_state, brings it back",
            f"NOTICE:dispatcher: {A} of set 1 is active",
        ]


def scripted(folder: Path, text: str = LIST) -> str:
    path = folder / "list"
    path.write_text(text)
    route = f'{CHOOSE} sl_send_reply("200", "OK");'
    loads = "".join(f'loadmodule "{name}.so"\n' for name in ("sl", "xlog", "dispatcher"))
    return f"{loads}{setting('dispatcher', 'list_file', str(path))}route {{ {route} }}\n"


def reload(script: Script) -> tuple[int, str]:
    reply = script.mi("ds_reload")
    assert reply is not None
    return reply.code, reply.reason


def test_reload(tmp_path: Path) -> None:
    with Script(scripted(tmp_path)) as script:
        script.mi("ds_set_state", "i", "1", A)
        (tmp_path / "list").write_text(f"1 {A}\n1 sip:192.0.2.50\n")
        assert reload(script) == (200, "OK")
        script.send("OPTIONS", "sip:x")
        assert script.printed == ["sip:192.0.2.50"]  # what was known of the first is kept


@pytest.mark.parametrize("text", [f"1 {B}\n1 sip:192.0.2.50\nx\n", None])
def test_a_list_with_a_mistake_is_refused_whole(tmp_path: Path, text: str | None) -> None:
    with Script(scripted(tmp_path)) as script:
        if text is None:
            (tmp_path / "list").unlink()
        else:
            (tmp_path / "list").write_text(text)
        assert reload(script) == (500, "ERROR Reloading data")
        script.send("OPTIONS", "sip:x")
        assert script.printed == [A]
        told = [str(line) for line in script.log if "the old destinations stay" in str(line)]
        assert len(told) == 1
        assert ("list:3: " if text else "No such file") in told[0]


# --- the table ------------------------------------------------------------------------------------------------------

ROUTE = f'{CHOOSE} sl_send_reply("200", "OK");'


def test_a_table(tmp_path: Path) -> None:
    with Script(script_of(ROUTE, "dispatcher"), folder=tmp_path) as script:
        script.send("OPTIONS", "sip:x")
        fill(script, "dispatcher", {"setid": 2, "destination": A}, {"setid": 1, "destination": B})
        assert reload(script) == (200, "OK")
        script.send("OPTIONS", "sip:x")
        fill(script, "dispatcher", {"setid": 1, "destination": "nonsense"})
        assert reload(script) == (500, "ERROR Reloading data")
        script.sql("ALTER TABLE dispatcher RENAME TO gone")
        assert reload(script) == (500, "ERROR Reloading data")
        script.send("OPTIONS", "sip:x")
        assert script.printed == ["dispatcher: there is no set 1, or no algorithm 9", "-1", B, B]
        script.sql("ALTER TABLE gone RENAME TO dispatcher")
    with pytest.raises(ModuleError, match='dispatcher, row 3: "nonsense" is no SIP URI'):
        Script(script_of(ROUTE, "dispatcher"), folder=tmp_path)


def test_columns_of_another_name(tmp_path: Path) -> None:
    settings = "".join(
        setting("dispatcher", name, value)
        for name, value in (("table_name", "gateways"), ("setid_col", "pool"), ("destination_col", "uri"))
    )
    with Script(script_of(ROUTE, "dispatcher", settings=settings), folder=tmp_path) as script:
        fill(script, "gateways", {"pool": 1, "uri": C})
        assert reload(script) == (200, "OK")
        script.send("OPTIONS", "sip:x")
        assert script.printed == [C]


def test_until_the_rows_are_read_new_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def connect(self: QuickDialect, *parts: object, **options: object) -> object:
        if options.get("read_only"):
            tries.append(1)
            if len(tries) < 4:
                raise Unavailable("away")
        return SqliteDialect.connect(self, *parts, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(QuickDialect, "connect", connect)
    route = 'if (ds_is_from_list()) xlog("ours"); ' + ROUTE
    with Script(script_of(route, "dispatcher")) as script:
        fill(script, "dispatcher", {"setid": 1, "destination": A})
        reply = script.send("OPTIONS", "sip:x")
        assert (reply.status, script.printed) == (503, [])
        assert 1 <= int(reply.get("Retry-After") or 0) <= 5
        found = script.mi("ds_set_state", "i", "1", A)
        assert found is not None
        assert found.code == 404
        for _ in range(5):
            script.run_for(1)
        assert script.send("OPTIONS", "sip:x").status == 200
        assert script.printed == [A]


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    script = script_of(ROUTE, "dispatcher", url=str(url), database=kind)
    rows = [
        (DispatcherTable, {"setid": number, "destination": uri}) for number, uri in ((2, A), (1, B), (1, C))
    ]
    assert printed(tmp_path, kind, url, script, rows, request()) == [B]

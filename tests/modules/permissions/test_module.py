from __future__ import annotations

from pathlib import Path

import pytest

from openpy.db.tables import Table
from openpy.db.url import DatabaseUrl
from openpy.modules.permissions.module import Permissions
from openpy.modules.permissions.tables import Address, Trusted
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.engine.kit import request
from tests.modules.accounts import URL, away_at_first, fill, printed, script_of, setting

MODES = pytest.mark.parametrize("mode", [0, 1])
TAG = setting("permissions", "peer_tag_avp", "$avp(s:peer)")
ALICE = "<sip:alice@example.com>;tag=1"


def on_files(route: str, settings: str = "") -> str:
    return script_of(f'{route} sl_send_reply("200", "OK");', "permissions", settings=settings)


def on_tables(route: str, mode: int = 1, *, url: str = URL, database: str = "sqlite") -> str:
    settings = setting("permissions", "db_url", url) + setting("permissions", "db_mode", mode) + TAG
    return script_of(
        f'{route} sl_send_reply("200", "OK");', "permissions", settings=settings, database=database
    )


def mi(script: Script, command: str, *values: str) -> tuple[int, str, list[str | None]]:
    reply = script.mi(command, *values)
    assert reply is not None
    return reply.code, reply.reason, [node.value for node in reply.nodes]


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Permissions.parameters().items()} == {
        "default_allow_file": "permissions.allow",
        "default_deny_file": "permissions.deny",
        "check_all_branches": 1,
        "allow_suffix": ".allow",
        "deny_suffix": ".deny",
        "db_url": "",
        "db_mode": 0,
        "trusted_table": "trusted",
        "source_col": "src_ip",
        "proto_col": "proto",
        "from_col": "from_pattern",
        "tag_col": "tag",
        "peer_tag_avp": "",
        "address_table": "address",
        "grp_col": "grp",
        "ip_addr_col": "ip_addr",
        "mask_col": "mask",
        "port_col": "port",
    }


@pytest.mark.parametrize(
    ("route", "settings", "why"),
    [
        ("exit;", setting("permissions", "db_mode", 2), "0 or 1 expected, not 2"),
        ("exit;", setting("permissions", "peer_tag_avp", "$x(y)"), "is no AVP"),
        ("allow_trusted();", "", "permissions has no db_url"),
        ('allow_source_address("1");', "", "permissions has no db_url"),
        ('set_address_group("-1");', "", "is not between 0 and"),
        ('set_address_group("x");', "", 'bad number "x"'),
        ('allow_routing("");', "", "is no name of a file"),
        ('allow_uri("x", "y");', "", "pseudo-variable"),
    ],
)
def test_wrong_parameters_and_arguments_stop_the_start(route: str, settings: str, why: str) -> None:
    with pytest.raises(ScriptError, match=why):
        Script(script_of(route, "permissions", settings=settings))


# --- files of rules -------------------------------------------------------------------------------------------------


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def test_the_default_files_decide_about_routing(tmp_path: Path) -> None:
    write(
        tmp_path,
        permissions_allow='"^sip:alice@example\\.com$" : "^sip:00"',
        permissions_deny='ALL : "^sip:0"',
    )
    with Script(
        on_files('if (is_method("INFO")) $ru = "urn:x:y"; allow_routing(); xlog("$retcode");'),
        folder=tmp_path,
    ) as script:
        for uri, from_ in (
            ("sip:0049@example.com", ALICE),
            ("sip:030@example.com", ALICE),
            ("sip:0049@example.com", "<sip:bob@example.com>;tag=1"),
            ("sips:bob@example.com", "<sip:bob@example.com>;tag=1"),
        ):
            script.send("OPTIONS", uri, From=from_)
        script.send("INFO", "sip:bob@example.com", From=ALICE)
        assert script.printed == ["1", "-1", "-1", "1", "-1"]
        assert not [line for line in script.log if line.origin == "permissions"]


def test_without_rules_all_is_allowed(tmp_path: Path) -> None:
    route = """$var(a) = allow_routing(); $var(b) = allow_routing("x"); $var(c) = allow_register("x");
    $var(d) = allow_uri("x", "$avp(s:none)"); xlog("$var(a) $var(b) $var(c) $var(d)");"""
    with Script(on_files(route), folder=tmp_path) as script:
        script.send("REGISTER", "sip:example.com", Contact="<urn:x:y>")
        assert script.printed == ["1 1 1 1"]
        told = [line.text for line in script.log if line.origin == "permissions"]
        assert told == [
            f"{tmp_path}/x.{kind} is not there: it allows and denies nothing" for kind in ("allow", "deny")
        ]


@pytest.mark.parametrize(("every", "expected"), [(1, "-1"), (0, "1")])
def test_branches_count_too(tmp_path: Path, every: int, expected: str) -> None:
    write(tmp_path, r_allow='ALL : "^sip:ok@"', r_deny="ALL : ALL")
    route = 'append_branch("sip:bad@example.com"); $var(a) = allow_routing("r"); xlog("$var(a)");'
    settings = setting("permissions", "check_all_branches", every)
    with Script(on_files(route, settings), folder=tmp_path) as script:
        script.send("INVITE", "sip:ok@example.com")
        assert script.printed == [expected]


def test_files_of_any_name(tmp_path: Path) -> None:
    write(
        tmp_path, yes_txt='ALL : "^sip:bob@"', no_txt="ALL : ALL", r_ok='ALL : "^sip:bob@"', r_not="ALL : ALL"
    )
    route = """$var(a) = allow_routing("yes.txt", "no.txt"); $var(b) = allow_register("yes.txt", "no.txt");
    $var(c) = allow_routing("r"); xlog("$var(a) $var(b) $var(c)");"""
    settings = setting("permissions", "allow_suffix", ".ok") + setting("permissions", "deny_suffix", ".not")
    with Script(on_files(route, settings), folder=tmp_path) as script:
        script.send("REGISTER", "sip:bob@example.com", Contact="<sip:bob@192.0.2.1>")
        script.send("REGISTER", "sip:carol@example.com", Contact="<sip:bob@192.0.2.1>, <sip:carol@192.0.2.1>")
        assert script.printed == ["1 1 1", "-1 -1 -1"]


def test_registrations(tmp_path: Path) -> None:
    write(tmp_path, register_allow='"^sip:alice@" : "@192\\.0\\.2\\."', register_deny="ALL : ALL")
    route = '$var(a) = allow_register("register"); xlog("$var(a)");'
    with Script(on_files(route), folder=tmp_path) as script:
        for to, contact in (
            ("sip:alice@example.com", "<sip:alice@192.0.2.1:5060>"),
            ("sip:alice@example.com", "<sip:alice@192.0.2.1>, <sip:alice@203.0.113.1>"),
            ("sip:bob@example.com", "<sip:alice@192.0.2.1>"),
            ("sip:bob@example.com", "*"),
            ("sip:alice@example.com", "<urn:x:y>"),
        ):
            script.send("REGISTER", "sip:example.com", To=f"<{to}>", Contact=contact, Expires="0")
        script.send("REGISTER", "sip:example.com", To="<sip:bob@example.com>", Contact=None)
        assert script.printed == ["1", "-1", "-1", "1", "-1", "1"]


def test_a_uri(tmp_path: Path) -> None:
    write(tmp_path, refer_allow="", refer_deny='"^sip:alice@" : "^sip:0900"')
    route = '$var(a) = allow_uri("refer", "$hdr(Refer-To)"); xlog("$var(a)");'
    with Script(on_files(route), folder=tmp_path) as script:
        for headers in ({"Refer-To": "sip:0900@x"}, {"Refer-To": "sip:0700@x"}, {}):
            script.send("REFER", "sip:bob@example.com", headers=headers, From=ALICE)
        assert script.printed == ["-1", "1", "-1"]


@pytest.mark.parametrize("route", ['allow_routing("r");', 'allow_routing("r.allow", "r.deny");', ""])
def test_a_mistake_in_a_file_stops_the_start_and_names_the_line(tmp_path: Path, route: str) -> None:
    write(tmp_path, r_allow="# rules\nALL ALL\n", permissions_deny="" if route else '\n"(" : ALL')
    with pytest.raises(ScriptError) as caught:
        Script(on_files(route), folder=tmp_path)
    place = (
        f"{tmp_path}/r.allow:2: a colon is expected before ALL"
        if route
        else f"{tmp_path}/permissions.deny:2: bad"
    )
    assert place in caught.value.diagnostics[0].message


def test_files_are_read_again_at_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "site.cfg"
    path.write_text(
        on_files('$var(a) = allow_routing(); $var(b) = allow_routing("r"); xlog("$var(a) $var(b)");')
    )
    with Script(path, folder=tmp_path) as script:

        def verdicts() -> str:
            script.send("OPTIONS", "sip:bob@example.com")
            return script.printed[-1]

        assert verdicts() == "1 1"
        write(tmp_path, permissions_deny="ALL : ALL", r_deny="ALL : ALL")
        assert verdicts() == "1 1"
        code, _, told = mi(script, "reload")
        assert code == 200
        names = {line for line in told if line and line.endswith("holds something else")}
        assert names == {
            f"  permissions {tmp_path}/{name} holds something else" for name in ("permissions.deny", "r.deny")
        }
        assert verdicts() == "-1 -1"
        write(tmp_path, permissions_deny="", r_deny="nonsense")
        assert mi(script, "reload")[0] == 400
        assert verdicts() == "-1 -1"
        write(tmp_path, r_deny="")
        assert mi(script, "reload", "dry-run")[0] == 200
        assert verdicts() == "-1 -1"
        assert mi(script, "reload")[0] == 200
        assert verdicts() == "1 1"


def test_the_files_are_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "site.cfg").write_text(on_files('allow_routing("r"); xlog("$retcode");'))
    monkeypatch.chdir(tmp_path)
    with Script(Path("site.cfg"), folder=tmp_path) as script:
        assert mi(script, "allow_uri", "r", "a", "b")[0] == 200
        write(tmp_path, r_deny="ALL : ALL")
        monkeypatch.chdir(tmp_path / "other")
        assert mi(script, "reload")[0] == 200
        script.send("OPTIONS", "sip:bob@example.com")
        assert script.printed == ["-1"]
        assert mi(script, "allow_uri", "r", "a", "b")[0] == 403


def test_the_files_are_asked_by_a_management_command(tmp_path: Path) -> None:
    write(tmp_path, r_allow='"^sip:alice@" : "^sip:00"', r_deny="ALL : ALL")
    with Script(on_files('allow_register("r");'), folder=tmp_path) as script:
        assert mi(script, "allow_uri", "r", "sip:alice@x", "sip:0049@x") == (200, "OK", [])
        assert mi(script, "allow_uri", "r", "sip:bob@x", "sip:0049@x") == (403, "Forbidden", [])
        assert mi(script, "allow_uri", "unknown", "sip:alice@x", "sip:0049@x") == (403, "Forbidden", [])
        assert mi(script, "allow_uri", "r" * 122, "a", "b") == (404, "Basename is too long", [])
        assert mi(script, "allow_uri", "r", "a" * 1025, "b") == (404, "URI is too long", [])
        assert mi(script, "allow_uri", "r", "a", "b" * 1025) == (404, "Contact is too long", [])
        assert mi(script, "allow_uri", "r", "a") == (400, "Too few or too many arguments", [])
        assert mi(script, "allow_uri", "r", "a", "b", "c")[0] == 400


def test_without_a_database(tmp_path: Path) -> None:
    with Script(on_files(""), folder=tmp_path) as script:
        assert mi(script, "trusted_reload") == (200, "OK", [])
        assert mi(script, "trusted_dump") == (500, "Trusted-module not in use", [])
        assert mi(script, "address_reload") == (400, "Address table reload failed", [])
        assert mi(script, "address_dump") == mi(script, "subnet_dump") == (200, "OK", [])


# --- trusted peers --------------------------------------------------------------------------------------------------

TRUSTED = 'allow_trusted(); xlog("$retcode $avp(s:peer)");'
PEERS = (
    {"src_ip": "192.0.2.7", "proto": "udp", "from_pattern": "^sip:alice@", "tag": "first"},
    {"src_ip": "192.0.2.7", "proto": "any", "from_pattern": None, "tag": None},
    {"src_ip": "192.0.2.8", "proto": "tcp", "from_pattern": None, "tag": "second"},
    {"src_ip": "192.0.2.9", "proto": "none", "from_pattern": None, "tag": None},
)


@MODES
def test_who_is_trusted(mode: int) -> None:
    with Script(on_tables(TRUSTED, mode)) as script:
        fill(script, "trusted", *PEERS)
        assert mi(script, "trusted_reload")[0] == 200
        for source, from_ in (
            ("udp:192.0.2.7:5060", ALICE),
            ("udp:192.0.2.7:5099", "<sip:bob@x>;tag=1"),
            ("udp:192.0.2.8:5060", ALICE),
            ("tcp:192.0.2.8:5060", ALICE),
            ("udp:192.0.2.9:5060", ALICE),
            ("udp:192.0.2.10:5060", ALICE),
        ):
            script.send("OPTIONS", "sip:bob@example.com", source=source, From=from_)
        assert script.printed == ["1 first", "1 <null>", "-1 <null>", "1 second", "-1 <null>", "-1 <null>"]


@MODES
def test_a_row_that_cannot_be_used(mode: int) -> None:
    with Script(on_tables(TRUSTED, mode)) as script:
        fill(script, "trusted", {"src_ip": "192.0.2.1", "proto": "udp", "from_pattern": "\\("}, *PEERS)
        mi(script, "trusted_reload")
        script.send("OPTIONS", "sip:bob@example.com", source="udp:192.0.2.1:5060")
        assert script.printed == ["-1 <null>"]
        told = [line.text for line in script.log if line.origin == "permissions"]
        assert len(told) == 1
        assert told[0].startswith("table trusted: the row of 192.0.2.1")


def test_the_query_fails() -> None:
    with Script(on_tables(TRUSTED, 0)) as script:
        script.sql("DROP TABLE trusted")
        script.send("OPTIONS", "sip:bob@example.com")
        assert script.printed == ["-1 <null>"]


def test_trusted_peers_are_listed_and_read_again() -> None:
    with Script(on_tables(TRUSTED)) as script:
        assert mi(script, "trusted_dump") == (200, "OK", [])
        fill(script, "trusted", *PEERS)
        assert mi(script, "trusted_reload") == (200, "OK", [])
        listed = [
            "   0 <192.0.2.7, 1, ^sip:alice@, first>",
            "   1 <192.0.2.7, 0, NULL, NULL>",
            "   2 <192.0.2.8, 2, NULL, second>",
        ]
        assert mi(script, "trusted_dump") == (200, "OK", listed)
        script.sql("ALTER TABLE trusted RENAME TO gone")
        assert mi(script, "trusted_reload") == (400, "Trusted table reload failed", [])
        assert mi(script, "trusted_dump") == (200, "OK", listed)


def test_nothing_is_listed_that_is_not_kept() -> None:
    with Script(on_tables(TRUSTED, 0)) as script:
        assert mi(script, "trusted_dump") == (500, "Trusted-module not in use", [])


# --- addresses ------------------------------------------------------------------------------------------------------

ADDRESSES = (
    {"grp": 1, "ip_addr": "192.0.2.1", "mask": 32, "port": 5060},
    {"grp": 1, "ip_addr": "10.0.0.0", "mask": 8, "port": 0},
    {"grp": 0, "ip_addr": "192.0.2.1", "mask": 32, "port": 0},
)


def test_source_addresses() -> None:
    route = """$var(g) = 1; $var(a) = allow_source_address("1"); $var(b) = allow_source_address("$var(g)");
    $var(c) = allow_source_address("0"); $var(d) = allow_source_address("$ru");
    xlog("$var(a) $var(b) $var(c) $var(d)");"""
    with Script(on_tables(route)) as script:
        fill(script, "address", *ADDRESSES)
        assert mi(script, "address_reload") == (200, "OK", [])
        for source in ("udp:192.0.2.1:5060", "udp:192.0.2.1:5061", "tcp:10.9.9.9:1", "udp:192.0.2.2:5060"):
            script.send("OPTIONS", "sip:bob@example.com", source=source)
        assert script.printed == ["1 1 1 -1", "-1 -1 1 -1", "1 1 -1 -1", "-1 -1 -1 -1"]


def test_an_address_in_pseudo_variables() -> None:
    route = """$var(i) = "10.1.1.1"; $var(p) = "7"; $var(a) = allow_address("$var(i)", "$var(p)");
    $var(g) = "1"; $var(s) = set_address_group("$var(g)"); $var(b) = allow_address("$var(i)", "$var(p)");
    $var(c) = allow_address("$si", "$sp"); $var(d) = allow_address("$ru", "$sp"); $var(e) = allow_address("$si", "$ru");
    $var(f) = allow_address("$avp(s:none)", "$sp"); $var(t) = set_address_group("$ru");
    xlog("$var(a) $var(s) $var(b) $var(c) $var(d) $var(e) $var(f) $var(t)");"""
    with Script(on_tables(route)) as script:
        fill(script, "address", *ADDRESSES)
        mi(script, "address_reload")
        script.send("OPTIONS", "sip:bob@example.com", source="udp:192.0.2.1:5060")
        script.send("OPTIONS", "sip:bob@example.com", source="udp:192.0.2.1:5070")
        assert script.printed == ["-1 1 1 1 -1 -1 -1 -1", "-1 1 1 -1 -1 -1 -1 -1"]


def test_addresses_are_listed_and_read_again(tmp_path: Path) -> None:
    with Script(on_tables(""), folder=tmp_path) as script:
        fill(script, "address", *ADDRESSES, {"grp": 1, "ip_addr": "nowhere"})
        assert mi(script, "address_reload") == (200, "OK", [])
        hosts = ["   0 <1, 192.0.2.1, 5060>", "   1 <0, 192.0.2.1, 0>"]
        assert mi(script, "address_dump") == (200, "OK", hosts)
        assert mi(script, "subnet_dump") == (200, "OK", ["   0 <1, 10.0.0.0, 8, 0>"])
        told = [line.text for line in script.log if line.origin == "permissions"]
        assert len(told) == 1
        assert told[0].startswith("table address: the row (1, nowhere, 32, 0) is left out: ")
        script.sql("ALTER TABLE address RENAME TO gone")
        assert mi(script, "address_reload") == (400, "Address table reload failed", [])
        assert mi(script, "address_dump") == (200, "OK", hosts)
        script.sql("ALTER TABLE gone RENAME TO address")
    with Script(on_tables(""), folder=tmp_path) as script:
        assert mi(script, "address_dump") == (200, "OK", hosts)  # they are read at the start


@pytest.mark.parametrize("function", ["allow_trusted()", 'allow_source_address("0")'])
def test_until_they_are_read_new_requests_are_refused(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    away_at_first(monkeypatch, 5)
    with Script(on_tables(f'{function}; xlog("$retcode");')) as script:
        assert script.send("OPTIONS", "sip:one.example").status == 503
        assert script.printed == []
        for _ in range(8):
            script.run_for(1)
        assert script.send("OPTIONS", "sip:one.example").status == 200
        assert script.printed == ["-1"]


# --- every database -------------------------------------------------------------------------------------------------


@MODES
def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl, mode: int) -> None:
    route = 'allow_trusted(); xlog("$retcode $avp(s:peer)"); allow_source_address("3"); xlog("$retcode");'
    rows: list[tuple[type[Table], dict[str, object]]] = [
        (Trusted, {"src_ip": "192.0.2.1", "proto": "udp", "from_pattern": "^sip:alice@", "tag": "gw"}),
        (Trusted, {"src_ip": "192.0.2.2", "proto": "udp"}),
        (Address, {"grp": 3, "ip_addr": "192.0.2.0", "mask": 24}),
    ]
    message = request("OPTIONS", "sip:bob@example.com", call_id="c1", branch="z9hG4bK1")
    script = on_tables(route, mode, url=str(url), database=kind)
    assert printed(tmp_path, kind, url, script, rows, message) == ["1 gw", "1"]

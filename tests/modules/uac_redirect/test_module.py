from __future__ import annotations

from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import MODULES, Bench, answer, request

NEXT = "sip:bob@192.0.2.9"
LOADS = (*MODULES, "acc", "uac_redirect")


def redirected(
    folder: Path, statements: str, *contacts: str, more: str = "", status: int = 302, route: str = ""
) -> Bench:
    """A call that was redirected, with a failure_route of these statements."""
    script = f"{more}\nfailure_route[1] {{ {statements} }}"
    bench = Bench(folder, f't_on_failure("1"); {route} t_relay();', more=script, modules=LOADS)
    bench.receive(request("INVITE", NEXT))
    data = answer(next(sent for sent in bench.sent if sent.start.startswith("INVITE ")), status)
    lines = "".join(f"\r\nContact: {contact}" for contact in contacts)
    bench.receive(data.replace(b"\r\n\r\n", lines.encode() + b"\r\n\r\n", 1))
    bench.close()
    return bench


def invited(bench: Bench) -> list[str]:
    """Whom the call went to after the redirection."""
    found = dict.fromkeys(sent.start.split()[1] for sent in bench.sent if sent.start.startswith("INVITE "))
    return [uri.removeprefix("sip:") for uri in found if uri != NEXT]


A, B, C = ("<sip:a@192.0.2.20>;q=0.5", "<sip:b@192.0.2.21>;q=0.9", "<sip:c@192.0.2.22>;q=0.1")
TO_A, TO_B, TO_C = "a@192.0.2.20", "b@192.0.2.21", "c@192.0.2.22"
FOLLOW = '$var(c) = get_redirects("*"); xlog("$var(c)"); t_relay();'


@pytest.mark.parametrize(
    ("statements", "settings", "found"),
    [
        (FOLLOW, "", [TO_B, TO_A, TO_C]),
        ('get_redirects("2"); t_relay();', "", [TO_B, TO_A]),
        ('get_redirects("2:1"); t_relay();', "", [TO_B]),
        (f'set_deny_filter("^sip:b@", ""); {FOLLOW}', "", [TO_A, TO_C]),
        (f'set_accept_filter("^sip:b@", ""); {FOLLOW}', "deny", [TO_B]),
        (f'set_deny_filter("@", ""); set_accept_filter("^sip:c@", ""); {FOLLOW}', "", [TO_C]),
        (FOLLOW, 'deny_filter", "^sip:a', [TO_B, TO_C]),
        (f'set_deny_filter("", "reset_default"); {FOLLOW}', 'deny_filter", "^sip:a', [TO_B, TO_A, TO_C]),
        (FOLLOW, 'accept_filter", "^sip:a', [TO_B, TO_A, TO_C]),
    ],
)
def test_what_is_followed(tmp_path: Path, statements: str, settings: str, found: list[str]) -> None:
    more = ""
    if settings:
        setting = 'default_filter", "deny' if settings == "deny" else settings
        more = f'modparam("uac_redirect", "{setting}")'
    assert invited(redirected(tmp_path, statements, A, B, C, more=more)) == found


@pytest.mark.parametrize(
    ("contacts", "status", "more"),
    [
        ((), 302, ""),
        ((A,), 486, ""),
        ((f"<{NEXT}>",), 302, ""),
        ((A,), 302, 'modparam("uac_redirect", "default_filter", "deny")'),
    ],
)
def test_nothing_to_follow(tmp_path: Path, contacts: tuple[str, ...], status: int, more: str) -> None:
    bench = redirected(tmp_path, FOLLOW, *contacts, status=status, more=more)
    assert list(bench.printed()) == ["-1"]
    assert invited(bench) == []


def test_what_cannot_be_called_takes_no_place(tmp_path: Path) -> None:
    bench = redirected(tmp_path, 'get_redirects("1"); t_relay();', "<mailto:b@x.example>;q=1", "<tel:+1>", A)
    assert invited(bench) == [TO_A]


@pytest.mark.parametrize(
    ("asked", "settings", "count"),
    [("sip", "", 2), ("sips", "", 1), ("sips", 'modparam("uac_redirect", "accept_filter", "^sip:a")', 2)],
)
def test_a_secure_call_stays_secure(tmp_path: Path, asked: str, settings: str, count: int) -> None:
    script = f'{settings} failure_route[1] {{ get_redirects("*", "302 moved"); }}'
    route = f't_on_failure("1"); $ru = "{NEXT}"; t_relay();'
    with Bench(tmp_path, route, more=script, modules=LOADS) as bench:
        bench.receive(request("INVITE", f"{asked}:bob@biloxi.example"))
        contacts = f"\r\nContact: {A}, <sips:b@b.example>\r\n\r\n".encode()
        bench.receive(answer(bench.sent[-1], 302).replace(b"\r\n\r\n", contacts, 1))
        assert len([line for line in bench.log if "ACC: request accounted" in line]) == count


def test_one_contact_once(tmp_path: Path) -> None:
    assert invited(redirected(tmp_path, FOLLOW, A, A)) == [TO_A]


def test_filters_are_for_one_redirection(tmp_path: Path) -> None:
    statements = f'set_deny_filter("^sip:a", ""); get_redirects("*"); {FOLLOW}'
    assert sorted(invited(redirected(tmp_path, statements, A, B))) == [TO_A, TO_B]


def test_too_many_filters(tmp_path: Path) -> None:
    statements = 'set_deny_filter("x", ""); ' * 6 + '$var(c) = set_deny_filter("x", ""); xlog("$var(c)");'
    assert list(redirected(tmp_path, statements, A).printed()) == ["-1"]


def test_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    contacts = [f"<sip:{number}@192.0.2.{number + 20}>" for number in range(16)]
    assert len(invited(redirected(tmp_path, FOLLOW, *contacts))) == 11  # twelve with the first branch


# --- accounting -------------------------------------------------------------------------------------------------------


def test_each_redirection_is_accounted(tmp_path: Path) -> None:
    more = 'modparam("acc", "log_extra", "to=$ru")'
    bench = redirected(tmp_path, 'get_redirects("*", "302 moved"); xlog("$ru");', A, B, more=more)
    lines = [line.partition("ACC: request accounted: ")[2] for line in bench.log if "ACC" in line]
    assert [line.partition(";code=")[2] for line in lines] == [
        f"302;reason=moved;to=sip:{uri}" for uri in (TO_B, TO_A)
    ]
    assert list(bench.printed()) == [NEXT]


def test_accounting_needs_acc(tmp_path: Path) -> None:
    script = 'failure_route[1] { get_redirects("*", "302"); }'
    with pytest.raises(ScriptError, match="a reason is accounted, which needs acc"):
        Bench(tmp_path, more=script, modules=(*MODULES, "uac_redirect"))


def test_accounting_in_the_database(tmp_path: Path) -> None:
    more = """modparam("uac_redirect", "acc_function", "acc_db_request")
        modparam("uac_redirect", "acc_db_table", "moved")"""
    bench = redirected(
        tmp_path, 'get_redirects("*", "302 moved");', A, more=more
    )  # there is none: nothing happens
    assert not [line for line in bench.log if "ACC" in line]
    assert bench.server.modules["acc"]._named == {"moved": None}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line", ['"default_filter", "all"', '"acc_function", "acc_rad_request"', '"deny_filter", "("']
)
def test_what_stops_the_start(tmp_path: Path, line: str) -> None:
    with pytest.raises(ScriptError):
        Bench(tmp_path, more=f'modparam("uac_redirect", {line})', modules=LOADS)

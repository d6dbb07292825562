"""What can be written where."""

from __future__ import annotations

import pytest

from openpy.editor.completion import Completion, Item, complete
from tests.editor.conftest import SCRIPT, Analyse, marked

HEAD = SCRIPT.split("\nroute {")[0] + "\n"


def completed(known: Analyse, text: str, base: str = SCRIPT) -> Completion:
    """What can be written at the `^`, behind the whole script; what is known is known of that."""
    whole, offset = marked(f"{base}\n{text}")
    found = complete(whole, offset, known(base))
    assert found.start <= offset
    return Completion(offset - found.start, found.items)


def labels(known: Analyse, text: str, base: str = SCRIPT) -> list[str]:
    return [item.label for item in completed(known, text, base).items]


def item(known: Analyse, text: str, label: str) -> Item:
    return next(item for item in completed(known, text).items if item.label == label)


def test_functions_of_loaded_modules(known: Analyse) -> None:
    found = item(known, "route[x] { sl_s^", "sl_send_reply")
    assert (found.detail, found.line) == ("sl_send_reply(code, reason)", None)
    assert "stateless" in found.doc
    assert completed(known, "route[x] { sl_s^").items
    assert item(known, "route[x] { ^", "rewriteuser").detail == "rewriteuser(user)"
    assert item(known, "route[x] { ^", "setuser").detail == "the same as rewriteuser"


def test_functions_of_other_modules_bring_their_line(known: Analyse) -> None:
    found = item(known, "route[x] { ^", "is_method")
    assert found.detail.endswith("(loads textops)")
    assert found.line is not None
    assert found.line.text == 'loadmodule "textops.so"\n'
    assert SCRIPT[: found.line.offset].endswith('loadmodule "xlog.so"\n')
    (line,) = {item.line for item in completed(known, "^ }", "route {").items if item.label == "is_method"}
    assert line is not None
    assert line.offset == 0


def test_only_what_the_kind_of_route_allows(known: Analyse) -> None:
    assert "sl_send_reply" not in labels(known, "failure_route[x] { ^")
    assert "t_reply" in labels(known, "failure_route[x] { ^")


def test_commands_and_operands(known: Analyse) -> None:
    assert {"if", "while", "exit"} <= set(labels(known, "route[x] { ^"))
    inside = set(labels(known, "route[x] { if (^"))
    assert {"method", "src_ip", "myself", "FLAG"} <= inside
    assert "while" not in inside


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ("deb^", "debug", "sl_send_reply"),
        ("^", "loadmodule", "if"),
        ("^", "failure_route", "if"),
        ("debug = ^", "FLAG", "debug"),
        ('loadmodule "^', "presence.so", "tm.so"),
        ('loadmodule "/usr/lib/^', "presence.so", "tm.so"),
        ('modparam("^', "tm", "presence"),
        ('modparam("xlog|^', "tm", "presence"),
        ('modparam("tm", "^', "fr_timer", "db_url"),
        ('modparam("xlog|tm", "fr^', "fr_timer", "db_url"),
        ("route[x] { route(^", "RELAY", "BUSY"),
        ('route[x] { route("R^', "RELAY", "BUSY"),
        ('route[x] { t_on_failure("^', "BUSY", "RELAY"),
        ("route[x] { $^", "ru", "if"),
        ('route[x] { xlog("a $h^', "hdr", "if"),
        ("route[x] { $(r^", "ru", "if"),
        ("route[x] { $(ru{^", "uri.user", "ru"),
        ("route[x] { $(ru{uri.user}{s.^", "s.len", "ru"),
        ("route[x] { $var(^", "count", "s:who"),
        ('route[x] { xlog("$avp(^', "s:who", "count"),
        ("route[x] { $(avp(^", "caller", "count"),
        ("#!^", "ifdef", "FLAG"),
        ("#!ifdef ^", "FLAG", "ifdef"),
        ("route[x] { # ^", None, "if"),
        ("#!define ^", None, "FLAG"),
        ('route[x] { log("^', None, "if"),
    ],
)
def test_what_is_there_and_what_is_not(known: Analyse, text: str, there: str | None, absent: str) -> None:
    found = labels(known, text)
    assert absent not in found
    assert found == [] if there is None else there in found


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("route[x] { sl_s^", 4),
        ('xlog("$h^', 1),
        ('modparam("xlog|t^', 1),
        ("#!ifdef FL^", 2),
        ("$(ru{uri.u^", 5),
        ("$var(co^", 2),
    ],
)
def test_what_is_replaced(known: Analyse, text: str, length: int) -> None:
    assert completed(known, text).start == length

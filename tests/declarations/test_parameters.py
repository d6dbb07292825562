"""Every parameter of every module: what cannot be meant stops the start, and says where it stands.

A new parameter needs a check (openpy/engine/checks.py has the usual ones), or a line in ANYTHING_GOES that says why it
needs none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ArgumentError, Module, Param
from openpy.engine.modulefinder import find_module, module_names
from openpy.engine.server import Server
from openpy.script.diagnostics import Diagnostic, ScriptError, Severity, render

ANYTHING_GOES = {
    **dict.fromkeys(
        (
            *(
                "acc.db_url",
                "alias_db.db_url",
                "auth_db.db_url",
                "avpops.avp_url",
                "avpops.db_url",
                "domain.db_url",
            ),
            *("group.db_url", "presence.db_url", "presence_xml.db_url", "speeddial.db_url", "uri_db.db_url"),
            *(
                "dialog.db_url",
                "dispatcher.db_url",
                "msilo.db_url",
                "siptrace.db_url",
                "permissions.db_url",
                "usrloc.db_url",
            ),
        ),
        "looked at where it is used: with db_mode 0 or force_active 1 nobody needs it",
    ),
    **dict.fromkeys(
        ("alias_db.domain_prefix", "auth.realm_prefix", "speeddial.domain_prefix"),
        "compared with the begin of a domain: what is none begins no domain",
    ),
    **dict.fromkeys(("auth.secret", "uac.from_passwd"), "a secret may be any text"),
    **dict.fromkeys(
        (
            *("mi_datagram.unix_socket_user", "mi_datagram.unix_socket_group"),
            *("mi_fifo.fifo_user", "mi_fifo.fifo_group"),
        ),
        "a name is looked up at the start",
    ),
    "gflags.initial": "every number is a set of flags",
    **dict.fromkeys(
        ("presence.totag_avpid", "usrloc.hash_size"), "without effect, whatever scripts of 1.3 say"
    ),
    **dict.fromkeys(
        (
            *("presence.expires_offset", "presence.max_body", "presence.max_expires", "presence.min_expires"),
            *(
                "presence.max_last_states",
                "presence.max_notify_refusals",
                "presence.max_presentity_publications",
            ),
            *("presence.max_presentity_subscriptions", "presence.max_watcher_rate"),
            *("presence.max_watcher_subscriptions", "presence.pres_htable_size", "presence.subs_htable_size"),
        ),
        "1.3 corrects what is too small, silently",
    ),
    "registrar.default_q": "1.3 corrects what is too large or too small, silently",
    "presence_xml.xcap_server": "refused with what it needs where it has an effect",
    **dict.fromkeys(
        ("uac_redirect.accept_filter", "uac_redirect.deny_filter"), "compiled when the whole script is read"
    ),
}
"""Parameters without a check of their own, and why."""

NONSENSE: dict[type, tuple[Any, ...]] = {
    int: (-77, 2**31 - 1),
    str: ('no such ["<thing>\r\n\0', "*", "$no(such)"),
}
"""What no parameter that is checked takes all of."""


def _parameters() -> Iterator[Any]:
    for name in sorted(module_names()):
        cls = find_module(name)
        for parameter in cls.parameters().values():
            yield pytest.param(cls, parameter, id=f"{name}.{parameter.name}")


every_parameter = pytest.mark.parametrize(("cls", "parameter"), list(_parameters()))


def types_of(parameter: Param[Any]) -> tuple[type, ...]:
    return parameter.type if isinstance(parameter.type, tuple) else (parameter.type,)


def found(folder: Path, cls: type[Module], name: str, value: int | str) -> tuple[Diagnostic, str]:
    """What the start says of a parameter in line 3 of a script, and how that is shown."""
    written = str(value) if isinstance(value, int) else f'"{value}"'
    path = folder / "test.cfg"
    script = f'route {{ exit; }}\nloadmodule "{cls.name}.so"\nmodparam("{cls.name}", "{name}", {written})\n'
    path.write_text(script, newline="")
    with pytest.raises(ScriptError) as stopped:
        Server(allow_exec=True).load(path)
    (refusal,) = [each for each in stopped.value.diagnostics if each.position.line == 3]
    return refusal, render(refusal, script)


@every_parameter
def test_a_value_of_the_wrong_type_is_refused_where_it_stands(
    tmp_path: Path, cls: type[Module], parameter: Param[Any]
) -> None:
    wrong: dict[type, int | str] = {int: "text", str: 7}
    for type_ in types_of(parameter) if len(types_of(parameter)) == 1 else ():
        refusal, shown = found(tmp_path, cls, parameter.name, wrong[type_])
        expected = "takes a number" if type_ is int else "takes a quoted string"
        assert refusal.severity is Severity.ERROR
        assert refusal.message == f'parameter "{parameter.name}" of {cls.name} {expected}'
        column = len(f'modparam("{cls.name}", "{parameter.name}", ') + 1
        assert (refusal.position.line, refusal.position.column) == (3, column)
        assert f"test.cfg:3:{column}: error" in shown


def is_checked(cls: type[Module], parameter: Param[Any]) -> bool:
    """Whether it refuses nonsense, in words of more than a few letters, and takes its own default."""
    module = cls(Server())
    refusals = []
    for type_ in types_of(parameter):
        for value in NONSENSE[type_]:
            try:
                parameter.set(module, value)
            except ArgumentError as refusal:
                refusals.append(refusal.text)
    assert all(len(text) > 10 for text in refusals)
    return bool(refusals)


@every_parameter
def test_what_cannot_be_meant_is_refused(cls: type[Module], parameter: Param[Any]) -> None:
    reason = ANYTHING_GOES.get(f"{cls.name}.{parameter.name}")
    if is_checked(cls, parameter):
        assert reason is None, "take it out of ANYTHING_GOES"
    else:
        assert reason, f"{cls.name}.{parameter.name} takes everything: give it a check"


@every_parameter
def test_its_default_is_a_value_that_it_takes(cls: type[Module], parameter: Param[Any]) -> None:
    module = cls(Server())
    if not parameter.repeat and (parameter.default or parameter.type is int):
        if (cls.name, parameter.name) == ("tm", "wt_timer"):
            return  # 0 is what stands for "unset"
        parameter.set(module, parameter.default)
        assert getattr(module, parameter.name) == parameter.default


def test_a_refusal_names_file_line_column_and_what_is_expected(tmp_path: Path) -> None:
    refusal, shown = found(tmp_path, find_module("rr"), "enable_full_lr", 7)
    assert refusal.message == "0 or 1 expected, not 7"
    assert "test.cfg:3:34: error[" in shown


def test_nothing_is_excused_that_is_not_there() -> None:
    known = {f"{name}.{own}" for name in module_names() for own in find_module(name).parameters()}
    assert set(ANYTHING_GOES) <= known

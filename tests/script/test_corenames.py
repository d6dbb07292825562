from __future__ import annotations

from openpy.script.corenames import BARE_COMMANDS, FIRST_NAMES


def test_an_alias_leads_to_a_first_name_at_once() -> None:
    assert not FIRST_NAMES.keys() & set(FIRST_NAMES.values())
    assert FIRST_NAMES["setu"] == FIRST_NAMES["setuser"] == "rewriteuser"


def test_commands_without_parentheses_are_known_by_their_first_name() -> None:
    assert not BARE_COMMANDS & FIRST_NAMES.keys()
    assert FIRST_NAMES["add_rport"] in BARE_COMMANDS
    assert "t_relay" not in BARE_COMMANDS

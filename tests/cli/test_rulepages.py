from __future__ import annotations

from openpy.cli.rulepages import SCRIPT, found_in, index, page
from openpy.script.rules.registry import RULES, SUBJECTS


def test_the_index_lists_all_rules_by_subject() -> None:
    text = index()
    places = [text.index(f"## {subject}\n") for subject in SUBJECTS]
    assert places == sorted(places)
    for rule in RULES.values():
        assert f"| [{rule.code}](diagnostics/{rule.code}.md) | {rule.title} | " in text
    assert "| Each command ends with `;`, also" in text
    assert "`&` or `\\|` calculates" in text


def test_a_page_has_both_scripts_and_what_is_told() -> None:
    rule = RULES["E502"]
    text = page(rule)
    assert text.startswith("# E502 wrong-count\n\nThe function takes another number of arguments. An error: ")
    assert f"Wrong:\n\n```\n{rule.wrong}```\n" in text
    assert "openser.cfg:3:5: error[E502]: sl_send_reply() takes 2 arguments, not 1\n" in text
    assert f"Right:\n\n```\n{rule.right}```\n" in text
    assert " A warning.\n" in page(RULES["W507"])
    assert all(len(line) <= 120 for line in page(RULES["W803"]).splitlines())


def test_files_are_told_without_their_folder() -> None:
    (found,) = found_in('include_file "absent.cfg"\nroute { exit; }')
    assert (found.position.file, found.message) == (SCRIPT, "there is no file absent.cfg")


def test_what_is_found_when_the_sockets_are_opened_is_told_too() -> None:
    (found,) = found_in("listen=udp:127.0.0.1:5070\nroute { force_send_socket(udp:127.0.0.1:5080); drop; }")
    assert found.code == "E509"


def test_a_script_without_a_mistake() -> None:
    assert found_in("route { drop; }") == []

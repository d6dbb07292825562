"""What is known of a script, right or wrong."""

from __future__ import annotations

import pytest

from openpy.editor.analysis import analyse
from openpy.script.preprocessor import read_nothing
from tests.editor.conftest import SCRIPT, Analyse


def messages(known: Analyse, text: str) -> list[str]:
    return [item.message for item in known(text).found]


def test_a_good_script(known: Analyse) -> None:
    analysis = known('loadmodule "sl.so"\nroute { sl_send_reply("200", "OK"); }')
    assert analysis.found == ()
    assert list(analysis.examined.modules) == ["sl"]
    assert set(analysis.sources) == {"test.cfg"}


def test_what_the_check_says(known: Analyse) -> None:
    assert messages(known, 'loadmodule "presence_xml.so"')[0].startswith("presence_xml needs")
    assert "unknown command" in messages(known, "route { foo(); }")[0]
    allowed = messages(known, 'loadmodule "exec.so"')  # whoever starts it may allow programs
    assert allowed == ["module exec is loaded, and nothing of it is used"]


def test_mistakes_in_included_files_have_their_place_there(known: Analyse) -> None:
    analysis = known('include_file "routes.cfg"', routes_cfg="route { foo(); }")
    assert [item.position.file for item in analysis.found] == ["routes.cfg"]
    assert analysis.sources["routes.cfg"] == "route { foo(); }"


def test_a_text_without_an_end_keeps_what_was_known(known: Analyse) -> None:
    good = known(SCRIPT)
    broken = SCRIPT.replace('"200", "OK"', '"200')
    assert known(broken, good).examined is good.examined
    assert known(broken, good).sources["test.cfg"] == broken
    alone = known(broken)
    assert list(alone.examined.modules) == ["sl", "tm", "xlog"]
    assert any("never closed" in item.message or "unclosed" in item.message for item in alone.found)
    assert list(known('loadmodule "\n').examined.modules) == []
    assert list(known('loadmodule "sl.so" "\nroute { (\n').examined.modules) in ([], ["sl"])


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        analyse("x.cfg", read_nothing)

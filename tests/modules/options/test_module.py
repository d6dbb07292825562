from __future__ import annotations

import pytest

from openpy.modules.options.module import METHODS, Options
from openpy.script.diagnostics import ScriptError
from openpy.testing.script import Script
from tests.modules.accounts import script_of, setting

ROUTE = '$var(c) = options_reply(); xlog("$var(c)");'


def test_the_parameters() -> None:
    assert {name: item.default for name, item in Options.parameters().items()} == {
        "accept": "*/*",
        "accept_encoding": "",
        "accept_language": "en",
        "support": "",
        "allow": METHODS,
        "allow_events": "",
    }
    assert Options.needs == ("sl",)


@pytest.mark.parametrize("name", list(Options.parameters()))
def test_wrong_parameters_stop_the_start(name: str) -> None:
    with pytest.raises(ScriptError, match="one line expected"):
        Script(script_of("exit;", "options", settings=setting("options", name, "a\\r\\nX: y")))
    with pytest.raises(ScriptError, match="takes a quoted string"):
        Script(script_of("exit;", "options", settings=setting("options", name, 5)))


def test_the_headers() -> None:
    with Script(script_of(ROUTE, "options")) as script:
        reply = script.send("OPTIONS", "sip:example.com", Record_Route="<sip:x;lr>")
        assert (reply.status, reply.reason, script.printed) == (200, "OK", [])
        assert reply.get("Record-Route") == "<sip:x;lr>"
        assert script.statistic("sl:2xx_replies") == 1
        names = ("Accept", "Accept-Encoding", "Accept-Language", "Supported", "Allow", "Allow-Events")
        assert [reply.all(name) for name in names] == [["*/*"], [""], ["en"], [""], [METHODS], []]


def test_other_values() -> None:
    values = {
        "accept": "application/sdp",
        "accept_encoding": "gzip",
        "accept_language": "de",
        "support": "path",
        "allow": "",
        "allow_events": "presence",
    }
    settings = "".join(setting("options", name, value) for name, value in values.items())
    with Script(script_of(ROUTE, "options", settings=settings)) as script:
        reply = script.send("OPTIONS", "sip:example.com")
        assert reply.get("Accept") == "application/sdp"
        assert reply.get("Accept-Encoding") == "gzip"
        assert reply.get("Accept-Language") == "de"
        assert reply.get("Supported") == "path"
        assert reply.get("Allow-Events") == "presence"
        assert reply.all("Allow") == []


def test_the_events_that_presence_serves() -> None:
    settings = setting("presence_xml", "force_active", 1)
    with Script(script_of(ROUTE, "presence", "presence_xml", "options", settings=settings)) as script:
        reply = script.send("OPTIONS", "sip:example.com")
        assert reply.get("Allow-Events") == "presence, presence.winfo, dialog;sla"


@pytest.mark.parametrize(("method", "uri"), [("OPTIONS", "sip:bob@example.com"), ("INFO", "sip:example.com")])
def test_what_is_not_for_the_server(method: str, uri: str) -> None:
    with Script(script_of(ROUTE, "options")) as script:
        assert not script.send(method, uri).replies
        assert script.printed == ["-1"]


def test_what_is_no_uri() -> None:
    with Script(script_of('$ru = "nonsense";' + ROUTE, "options")) as script:
        script.send("OPTIONS", "sip:example.com")
        assert script.printed == ["-1"]

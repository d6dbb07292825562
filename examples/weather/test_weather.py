"""The tests of the event package: a script that loads it from its folder, and whole dialogues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openpy.testing.script import Script

PLACE = "sip:garden@example.org"

SCRIPT = f"""
mpath="{Path(__file__).parent}"
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "presence.so"
loadmodule "weather.so"
modparam("presence", "db_url", "sqlite:///any")
modparam("weather", "friend", "sip:bob@example.net")
route {{
    if (method == "PUBLISH") handle_publish();
    else handle_subscribe();
}}
"""


@pytest.fixture
def garden(load_script: Callable[..., Script]) -> Script:
    """A place with two instruments."""
    script = load_script(SCRIPT)
    for report in ("outdoors: rain", "indoors: dry"):
        reply = script.send("PUBLISH", PLACE, Event="weather", Content_Type="text/plain", body=report)
        assert reply.status == 200
    return script


@pytest.mark.parametrize(
    ("watcher", "state", "told"),
    [
        ("sip:bob@example.net", "active", b"outdoors: rain\r\nindoors: dry\r\n"),
        ("sip:carol@example.org", "active", b"outdoors: rain\r\n"),
        ("sip:dave@example.com", "pending", b""),
    ],
)
def test_friends_see_everything_and_neighbours_what_is_outdoors(
    garden: Script, watcher: str, state: str, told: bytes
) -> None:
    garden.send("SUBSCRIBE", PLACE, Event="weather", From=f"<{watcher}>;tag=1")
    (notify,) = garden.requests("NOTIFY")
    assert (notify.get("Subscription-State") or "").startswith(state)
    assert notify.body == told

"""What usrloc is for other modules."""

from __future__ import annotations

import pytest

from openpy.modules.usrloc.api import Happening, Rules, UsrlocApi
from openpy.modules.usrloc.contacts import Contact
from openpy.testing.script import Script
from tests.modules.usrloc.kit import MEMORY, register, script


def api_of(server: Script) -> UsrlocApi:
    usrloc = server.server.module("usrloc")
    assert usrloc is not None
    api = usrloc.bind()
    assert isinstance(api, UsrlocApi)
    return api


def test_what_is_configured() -> None:
    values = {"use_domain": 1, "nat_bflag": 6, "matching_mode": 1, "desc_time_order": 1, "cseq_delay": 5}
    with script(usrloc=values) as server:
        api = api_of(server)
        assert (api.use_domain, api.db_mode, api.nat_flag) == (True, MEMORY, 64)
        assert api.rules == Rules(newest_first=True, by_call_id=True, cseq_delay=5)
        assert api.domain("location").name == "location"
        with pytest.raises(LookupError):
            api.domain("aliases")
    with script() as server:
        assert api_of(server).nat_flag == 0


def test_who_watches_hears_of_every_contact() -> None:
    with script() as server:
        heard: list[tuple[Happening, str, str]] = []

        def watch(happening: Happening, aor: str, contact: Contact) -> None:
            heard.append((happening, aor, contact.uri))

        api_of(server).watch(watch)
        register(server, "<sip:1@h>, <sip:2@h>;expires=100")
        register(server, "<sip:1@h>", cseq=2)
        server.run_for(102)
        register(server, "*", cseq=3, expires=0)
        assert heard == [
            (Happening.INSERTED, "bob", "sip:1@h"),
            (Happening.INSERTED, "bob", "sip:2@h"),
            (Happening.UPDATED, "bob", "sip:1@h"),
            (Happening.EXPIRED, "bob", "sip:2@h"),
            (Happening.DELETED, "bob", "sip:1@h"),
        ]


def test_shares_of_all_tables() -> None:
    route = 'if ($rU == "x") save("aliases"); if (method=="REGISTER") save("location");'
    with script(route=route) as server:
        register(server, "<sip:1@h>")
        register(server, "<sip:2@h>", user="alice")
        found: list[list[str]] = []
        for number in (0, 1):
            api_of(server).portion(number, 2, lambda items, count: found.append([item.uri for item in items]))
        assert found == [[], ["sip:2@h"], [], ["sip:1@h"]]

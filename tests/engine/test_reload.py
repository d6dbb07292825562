from __future__ import annotations

import gc
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openpy.engine.mi import Reply
from openpy.engine.reload import WAITING, Outcome, Wish
from openpy.engine.trace import Delivery, Filter
from openpy.engine.waiting import Wait
from openpy.testing.messages import pidf
from openpy.testing.script import Script

BOB = "sip:bob@example.com"

HEAD = """
loadmodule "sqlite.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "cfgutils.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
modparam("presence", "db_url", "sqlite:///presence.db")
modparam("presence_xml", "force_active", 1)
"""

ROUTE = """
route {
    if (is_method("PUBLISH")) { handle_publish(); exit; }
    if (is_method("SUBSCRIBE")) { handle_subscribe(); exit; }
    if (is_method("INFO")) { xlog("L_DBG", "$ru\\n"); sleep("2"); route(late); exit; }
    route(answer);
}
"""


def text(answer: str = "One", more: str = "", head: str = HEAD) -> str:
    routes = f'route[answer] {{ sl_send_reply("200", "{answer}"); }}\nroute[late] {{ route(answer); }}\n'
    return head + more + ROUTE + routes


class Site:
    """A script in a file of its own that can be changed, in virtual time."""

    def __init__(self, folder: Path, first: str) -> None:
        self.path = folder / "site.cfg"
        self.path.write_text(first)
        self.script = Script(self.path, folder=folder)

    def reload(self, new: str | None = None, *options: str) -> Reply:
        if new is not None:
            self.path.write_text(new)
        reply = self.script.mi("reload", *options)
        assert reply is not None
        return reply

    def changed(self, new: str, *options: str) -> list[str]:
        """What a reload that is done says that it changes."""
        reply = self.reload(new, *options)
        assert (reply.code, reply.reason) == (200, "OK")
        return told(reply)[1:]

    @property
    def answer(self) -> str | None:
        return self.script.send("OPTIONS", BOB).reason


def told(reply: Reply) -> list[str]:
    return [(node.value or "").strip() for node in reply.nodes]


Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path, request: pytest.FixtureRequest) -> Make:
    def made(first: str = "") -> Site:
        site = Site(tmp_path, first or text())
        request.addfinalizer(site.script.close)
        return site

    return made


# --- what changes -------------------------------------------------------------------------------------------------


def test_a_new_script_counts_for_the_next_message(make: Make) -> None:
    site = make()
    assert site.answer == "One"
    reply = site.reload(text("Two"))
    assert told(reply) == [f"{site.path} is reloaded", "route[answer] is changed (line 19)"]
    assert site.answer == "Two"
    assert site.script.statistic("core:reloads") == 1
    assert f"{site.path} is reloaded\n  route[answer] is changed (line 19)" in [
        line.text for line in site.script.log
    ]


def test_in_virtual_time_a_reload_does_not_rest(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make()
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it sleeps"))
    site.reload(text("Two"))
    assert site.answer == "Two"


def test_what_is_in_flight_ends_on_the_old_script(make: Make) -> None:
    site = make()
    waiting = site.script.send("INFO", BOB)
    site.reload(text("Two"))
    later = site.script.send("INFO", BOB)
    assert (waiting.replies, later.replies) == ([], [])
    site.script.run_for(3)
    assert (waiting.reason, later.reason) == ("One", "Two")


def test_the_same_script_again_is_told_to_be_that(make: Make) -> None:
    site = make()
    assert told(site.reload()) == [f"{site.path} is reloaded: nothing changes"]
    assert told(site.reload(None, "dry-run")) == [f"{site.path} can be reloaded: nothing changes"]
    assert site.answer == "One"


def test_a_dry_run_changes_nothing(make: Make) -> None:
    site = make()
    new = text("Two", 'modparam("presence", "max_expires", 60)\nloadmodule "gflags.so"\n')
    new = new.replace("    route(answer);", '    set_gflag("1"); route(answer);', 1)
    reply = site.reload(new, "dry-run")
    assert told(reply) == [
        f"{site.path} can be reloaded",
        "presence max_expires: 3600 -> 60",
        "gflags is a module that is loaded now",
        "route is changed (line 15)",
        "route[answer] is changed (line 21)",
    ]
    assert site.answer == "One"
    assert site.script.server.modules["presence"].max_expires == 3600  # type: ignore[attr-defined]
    assert "gflags" not in site.script.server.modules
    assert site.script.statistic("core:reloads") == site.script.statistic("core:reloads_refused") == 0


def test_an_option_that_is_none_is_refused(make: Make) -> None:
    reply = make().reload(None, "quickly")
    assert (reply.code, reply.reason) == (400, "quickly is no option: dry-run and partial are")


# --- bad scripts --------------------------------------------------------------------------------------------------


def test_a_bad_script_leaves_the_old_one_and_says_why(make: Make) -> None:
    site = make()
    for _ in range(3):
        reply = site.reload(text("Two").replace('sl_send_reply("200"', 'sl_send_repl("200"'))
        assert reply.code == 400
        assert reply.reason == f"the old script goes on: {site.path} has 1 error"
        place, excerpt, caret, hint = (node.value for node in reply.nodes)
        assert place == (
            f"{site.path}:19:17: error[E501]: unknown command sl_send_repl(), missing loadmodule?"
        )
        assert excerpt == '    route[answer] { sl_send_repl("200", "Two"); }'
        assert caret == "                    ^^^^^^^^^^^^^^^^^^^^^^^^^^"
        assert hint == '    did you mean "sl_send_reply"?'
        assert site.answer == "One"
    assert site.script.statistic("core:reloads_refused") == 3
    assert "unknown command sl_send_repl()" in site.script.log[-1].text
    site.reload(text("Two"))
    assert site.answer == "Two"


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (text().replace("modparam", "modparm", 1), "has 1 error"),
        (text(more='modparam("presence", "max_expires", "long")\n'), "has 1 error"),
        (text(more='loadmodule "nothing.so"\n'), "has 1 error"),
        (text(more='modparam("tm", "T2_timer", 1)\n'), "has 1 error"),
        (text() + 'route[f] { force_send_socket("udp:192.0.2.5:5060"); }', "has 1 error"),
        (text(more="event_route[sl:nothing] { exit; }\n"), "has 1 error"),
    ],
)
def test_whatever_is_wrong_is_found_before_anything_changes(make: Make, new: str, why: str) -> None:
    site = make()
    reply = site.reload(new)
    assert reply.code == 400
    assert reply.reason.endswith(why)
    assert site.answer == "One"


def test_a_script_that_is_gone(make: Make) -> None:
    site = make()
    site.path.unlink()
    reply = site.reload()
    assert reply.reason == f"the old script goes on: {site.path}: No such file or directory"
    assert site.answer == "One"


def test_many_mistakes_are_not_all_told(make: Make) -> None:
    reply = make().reload(text() + "route[x] { " + "nothing(); " * 30 + "}")
    assert reply.reason.endswith("has 30 errors")
    assert reply.nodes[-1].value == "... and 10 more"


# --- what needs a restart -----------------------------------------------------------------------------------------

ELSEWHERE = """
listen=udp:192.0.2.100:5070
debug=3
modparam("presence", "db_url", "mysql://user:secret@db/openser")
loadmodule "mysql.so"
"""


def test_what_needs_a_restart_is_named_and_nothing_changes(make: Make) -> None:
    site = make()
    reply = site.reload(text("Two", ELSEWHERE))
    assert (reply.code, reply.reason) == (409, "the old script goes on: 2 changes need a restart")
    assert told(reply) == [
        "core listen: unset -> udp:192.0.2.100:5070",
        "presence db_url: sqlite:///presence.db -> mysql://user:***@db/openser",
        "`partial` would take the rest:",
        "core debug: 2 -> 3",
        "mysql is a module that is loaded now",
        "route[answer] is changed (line 24)",
    ]
    assert site.answer == "One"


def test_a_part_can_be_taken_and_the_rest_is_named_again(make: Make) -> None:
    site = make()
    assert site.changed(text("Two", ELSEWHERE), "partial") == [
        "core debug: 2 -> 3",
        "mysql is a module that is loaded now",
        "route[answer] is changed (line 24)",
        "core listen: unset -> udp:192.0.2.100:5070 (not done: needs a restart)",
        "presence db_url: sqlite:///presence.db -> mysql://user:***@db/openser (not done: needs a restart)",
    ]
    assert site.answer == "Two"
    assert site.script.server.log.level == 3
    assert told(site.reload())[:2] == [
        "core listen: unset -> udp:192.0.2.100:5070",
        "presence db_url: sqlite:///presence.db -> mysql://user:***@db/openser",
    ]
    assert site.changed(text()) == [
        "core debug: 3 -> 2",
        "mysql is a module that is loaded no more",
        "route[answer] is changed (line 19)",
    ]


def test_another_password_is_a_change_and_is_not_told(make: Make) -> None:
    url = 'modparam("presence", "db_url", "sqlite://user:{}@/presence.db")\n'
    site = make(text(more=url.format("secret")))
    (line,) = told(site.reload(text(more=url.format("other"))))
    assert line == "presence db_url: sqlite://user:***@/presence.db -> another password"


def test_a_module_that_cannot_join_is_no_part_to_leave_out(make: Make) -> None:
    site = make()
    new = text(more='loadmodule "presence_mwi.so"\n')
    assert told(site.reload(new)) == ["presence_mwi is a module that is loaded now"]
    reply = site.reload(new, "partial")
    assert (reply.code, told(reply)) == (409, ["presence_mwi is a module that is loaded now"])


def test_a_module_that_cannot_leave_stays(make: Make) -> None:
    site = make(text(more='loadmodule "presence_mwi.so"\n'))
    assert told(site.reload(text())) == ["presence_mwi is a module that is loaded no more"]
    (line,) = site.changed(text(), "partial")
    assert line == "presence_mwi is a module that is loaded no more (not done: needs a restart)"
    assert "presence_mwi" in site.script.server.modules
    assert site.script.send("PUBLISH", BOB, Event="message-summary", body="x").status == 415


# --- what is kept -------------------------------------------------------------------------------------------------


def test_publications_subscriptions_and_transactions_are_kept(make: Make) -> None:
    site = make()
    publication = site.script.send("PUBLISH", BOB)
    subscription = site.script.send("SUBSCRIBE", BOB)
    assert (publication.status, subscription.status) == (200, 200)
    for number in range(3):
        site.reload(text(f"Answer {number}"))
    site.script.send("PUBLISH", BOB, SIP_If_Match=publication.get("SIP-ETag"), body=pidf(BOB, "closed"))
    notify = site.script.requests("NOTIFY")[-1]
    assert b"closed" in notify.body
    assert [item.message.cseq.number for item in site.script.requests("NOTIFY")] == [1, 2]
    again = site.script.send("SUBSCRIBE", within=subscription)
    assert again.status == 200
    assert len(site.script.rows("active_watchers")) == len(site.script.rows("presentity")) == 1


def test_parameters_of_modules_count_at_once(make: Make) -> None:
    site = make()
    more = 'modparam("presence", "max_expires", 60)\nmodparam("presence", "max_presentity_publications", 1)\n'
    assert site.changed(text(more=more)) == [
        "presence max_expires: 3600 -> 60",
        "presence max_presentity_publications: 50 -> 1",
    ]
    assert site.script.send("PUBLISH", BOB, Expires=3600).get("Expires") == "60"
    assert site.script.send("PUBLISH", BOB).status == 403
    site.reload(text())
    assert site.script.send("PUBLISH", BOB, Expires=3600).get("Expires") == "3600"


def test_core_parameters_count_at_once(make: Make) -> None:
    site = make()
    more = 'server_header="Server: mine"\nalias="example.net"\ndebug=4\nmax_uri=30\navp_aliases="a=s:x"\n'
    site.reload(text(more=more) + 'route[x] { $avp(a) = "x"; }\n')
    assert site.script.send("OPTIONS", BOB).get("Server") == "mine"
    assert site.script.server.is_myself("example.net", 5060)
    assert site.script.server.log.level == 4
    assert site.script.send("OPTIONS", f"sip:{'b' * 40}@example.com").status == 414
    site.script.server.log.level = 5  # by hand, as `debug` does
    site.reload(text(more="server_signature=no\ndebug=3\n"))
    with pytest.raises(AssertionError):
        assert site.script.send("OPTIONS", BOB).get("Server") == "mine"
    assert not site.script.server.is_myself("example.net", 5060)
    assert site.script.server.log.level == 4


def test_the_targets_that_were_found_dead_are_remembered(make: Make) -> None:
    site = make(text(more="disable_dns_blacklist=no\n"))
    dead = site.script.server.dead_targets
    assert dead is not None
    site.reload(text("Two", "disable_dns_blacklist=no\n"))
    assert site.script.server.dead_targets is dead
    site.reload(text("Two"))
    assert site.script.server.dead_targets is None


def test_counters_go_on(make: Make) -> None:
    variables = 'loadmodule "statistics.so"\nmodparam("statistics", "variable", "calls")\n'
    more = 'modparam("statistics", "variable", "others/no_reset")\n'
    site = make(text(more=variables) + 'onreply_route { update_stat("calls", "1"); }')
    count = 'route[count] { update_stat("calls", "1"); update_stat("others", "2"); }\n'
    answer = "route[answer] { sl_send_reply"
    site.reload(
        text(more=variables).replace(answer, 'route[answer] { update_stat("calls", "1"); sl_send_reply')
    )
    assert site.answer == "One"
    assert site.script.statistic("script:calls") == 1
    new = text(more=variables + more).replace(answer, "route[answer] { route(count); sl_send_reply") + count
    assert site.changed(new)[0] == "statistics variable: calls -> calls, others/no_reset"
    assert site.answer == "One"
    assert (site.script.statistic("script:calls"), site.script.statistic("script:others")) == (2, 2)
    assert site.script.statistic("sl:2xx_replies") == 2
    site.reload(text())
    with pytest.raises(LookupError):
        site.script.statistic("script:calls")


def test_event_routes_follow(make: Make) -> None:
    event = 'event_route[sl:local-response] {{ xlog("{}"); }}\n'
    site = make(text(more=event.format("first")))
    assert site.answer == "One"
    site.reload(text(more=event.format("second")))
    assert site.answer == "One"
    site.reload(text())
    assert site.answer == "One"
    assert site.script.printed == ["first", "second"]


# --- modules that come and go -------------------------------------------------------------------------------------

OWN_MODULE = '''
from openpy.engine.module import Module, ModuleError, Param, mi_command

class Stand(Module):
    """Stands in for a module of a user's own."""

    name = "stand"
    can_join = True
    life = []

    command = Param(int, 0, "x")
    fails = Param(str, "", "x", reload=True)
    fixed = Param(int, 1, "x")

    def check(self):
        if self.fails == "check" and self.services is self.services.reloader._server:
            raise ModuleError("no", "do this")

    async def start(self):
        if self.fails == "start":
            raise RuntimeError("no start")
        self.life.append("start")

    def reconfigured(self, configured):
        if self.fails == "reconfigured":
            raise RuntimeError("no change")
        self.life.append(f"fails={self.fails}")

    async def drain(self):
        self.life.append("drain")

    async def stop(self):
        self.life.append("stop")
        if self.fails == "stop":
            raise RuntimeError("no stop")

    @mi_command("stand_up")
    async def stand_up(self) -> None:
        """Stand."""
'''


@pytest.fixture
def own(tmp_path: Path, make: Make) -> Callable[..., str]:
    (tmp_path / "stand.py").write_text(OWN_MODULE)

    def with_stand(fails: str = "", answer: str = "Stand") -> str:
        more = f'mpath="{tmp_path}"\nloadmodule "stand.so"\n'
        return text(answer, more + (f'modparam("stand", "fails", "{fails}")\n' if fails else ""))

    return with_stand


def test_a_module_joins_and_leaves(make: Make, own: Callable[..., str]) -> None:
    site = make()
    assert "stand is a module that is loaded now" in site.changed(own())
    life: list[str] = site.script.server.modules["stand"].life  # type: ignore[attr-defined]
    assert site.answer == "Stand"
    reply = site.script.mi("stand_up")
    assert reply is not None
    assert reply.code == 200
    site.reload(own("something"))
    site.reload(text())
    assert life == ["start", "fails=something", "drain", "stop"]
    assert site.script.server.commands.find("stand_up") is None
    assert "stand" not in site.script.server.modules
    site.script.close()
    assert life == ["start", "fails=something", "drain", "stop"]


@pytest.mark.parametrize(
    ("fails", "why", "lines"),
    [
        ("check", "stand cannot be started: no", ["do this"]),
        ("start", "stand cannot be started: no start", []),
    ],
)
def test_one_that_cannot_start_is_undone(
    make: Make, own: Callable[..., str], fails: str, why: str, lines: list[str]
) -> None:
    site = make()
    reply = site.reload(own(fails))
    assert (reply.code, reply.reason, told(reply)) == (500, f"the old script goes on: {why}", lines)
    assert "stand" not in site.script.server.modules
    assert site.answer == "One"
    site.reload(own())
    assert site.answer == "Stand"


def test_one_whose_command_is_taken_does_not_join(
    make: Make, own: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "stand.py").write_text(OWN_MODULE.replace('"stand_up"', '"uptime"'))
    site = make()
    reply = site.reload(own())
    assert reply.reason.endswith("stand cannot be started: there is a management command uptime already")
    assert site.answer == "One"


def test_parameters_that_are_not_taken_are_as_before(make: Make, own: Callable[..., str]) -> None:
    site = make(own("something"))
    reply = site.reload(
        own("reconfigured", "Two").replace('cfgutils.so"', 'cfgutils.so"\nloadmodule "gflags.so"')
    )
    assert reply.reason == "the old script goes on: stand does not take its parameters: no change"
    stand: Any = site.script.server.modules["stand"]
    assert (stand.fails, stand.life) == ("something", ["start", "fails=something"])
    assert "gflags" not in site.script.server.modules
    assert site.answer == "Stand"


def test_one_that_reads_files_takes_them_over_at_every_reload(
    make: Make, own: Callable[..., str], tmp_path: Path
) -> None:
    files = """def files(self):
        return {"/rules": 1}
"""
    (tmp_path / "stand.py").write_text(OWN_MODULE.replace("can_join = True", files))
    site = make(own())
    stand: Any = site.script.server.modules["stand"]
    assert site.changed(own()) == []
    assert stand.life == ["start", "fails="]
    site.reload(own(), "dry-run")
    site.reload("nonsense")
    assert stand.life == ["start", "fails="]
    site.reload(own("something"))
    assert stand.life == ["start", "fails=", "fails=something"]


def test_one_that_does_not_stop_well_is_gone_all_the_same(make: Make, own: Callable[..., str]) -> None:
    site = make(own("stop"))
    site.reload(text())
    assert site.answer == "One"
    assert "no stop" in site.script.log[-2].text
    assert "stand" not in site.script.server.modules


def test_the_code_of_a_module_that_runs_stays(make: Make, own: Callable[..., str], tmp_path: Path) -> None:
    site = make(own())
    stand = site.script.server.modules["stand"]
    (tmp_path / "stand.py").write_text("not even Python")
    assert site.changed(own("something")) == ["stand fails: unset -> something"]
    assert site.script.server.modules["stand"] is stand


# --- one after the other ------------------------------------------------------------------------------------------


def test_reloads_wait_for_each_other(make: Make) -> None:
    site = make()
    reloader = site.script.server.reloader
    waits: list[Wait[Outcome]] = [reloader.reload() for _ in range(WAITING + 2)]
    for _ in range(3):
        reloader.reload_by_signal()
    assert waits[-1].value == Outcome(503, "too many reloads wait already")
    assert not any(wait.done for wait in waits[:-1])
    site.path.write_text(text("Two"))
    site.script.run_for(5)
    assert [wait.value.code for wait in waits[:-1] if wait.value] == [200] * (WAITING + 1)
    assert site.script.statistic("core:reloads") == WAITING + 1
    assert site.answer == "Two"


def test_a_signal_is_an_ordinary_reload_and_one_that_waits_is_enough(make: Make) -> None:
    site = make()
    site.path.write_text(text("Two"))
    reloader = site.script.server.reloader
    reloader.reload(Wish(dry_run=True))
    for _ in range(3):
        reloader.reload_by_signal()
    site.script.run_for(5)
    assert site.script.statistic("core:reloads") == 1
    assert site.answer == "Two"


def test_a_mistake_of_ours_is_reported_and_holds_nothing_up(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make()
    with monkeypatch.context() as patch:
        patch.setattr("openpy.engine.reload.module_changes", lambda running, configured: 1 / 0)
        reply = site.reload()
    assert (reply.code, reply.reason) == (500, "a mistake of ours, which the log shows")
    assert "ZeroDivisionError" in site.script.log[-1].text
    site.reload(text("Two"))
    assert site.answer == "Two"


def test_the_script_is_found_again_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "site.cfg"
    path.write_text(text())
    with Script(Path("site.cfg"), folder=tmp_path) as script:
        os.chdir("/")
        path.write_text(text("Two"))
        reply = script.mi("reload")
        assert reply is not None
        assert reply.code == 200
        assert script.send("OPTIONS", BOB).reason == "Two"


def test_the_age_of_the_script(make: Make) -> None:
    site = make()
    site.script.run_for(10)
    assert site.script.statistic("core:script_uptime") == 10
    site.reload(text("Two"))
    site.script.run_for(3)
    assert site.script.statistic("core:script_uptime") == 3


def test_a_server_that_stops_changes_nothing_any_more(make: Make) -> None:
    site = make()
    wait = site.script.server.reloader.reload()
    site.script.server.dispatcher.draining = True
    site.script.run_for(1)
    assert wait.value is not None
    assert "the server stops" in wait.value.text
    assert site.script.statistic("core:reloads") == 0


# --- tracing ------------------------------------------------------------------------------------------------------


def test_tracing_goes_on_with_the_new_script(make: Make) -> None:
    events: list[dict[str, Any]] = []

    def take(event: dict[str, Any]) -> Delivery:
        events.append(event)
        return Delivery.TAKEN

    site = make()
    site.script.server.tracer.start(Filter(), take)
    site.script.run_for(1)
    waiting = site.script.send("INFO", BOB)
    site.reload(text("Two"))
    site.script.run_for(3)
    assert waiting.reason == "One"
    assert site.answer == "Two"
    assert [event["type"] for event in events] == ["started", "started", "trace", "trace"]
    replies = [
        event["arguments"][1]
        for trace in events[2:]
        for event in trace["events"]
        if event["event"] == "call" and event["function"] == "sl_send_reply"
    ]
    assert replies == ["One", "Two"]


# --- memory -------------------------------------------------------------------------------------------------------


def test_old_scripts_are_freed_without_the_garbage_collector(make: Make) -> None:
    site = make()
    programs: list[weakref.ref[object]] = []

    def note() -> None:
        assert site.script.server.loaded is not None
        programs.append(weakref.ref(site.script.server.loaded.program))
        scope = site.script.server.loaded.program.scope
        functions = [value for value in scope.values() if type(value) is type(note)]
        programs.extend(map(weakref.ref, functions))

    gc.collect()
    gc.disable()
    try:
        note()
        waiting = site.script.send("INFO", BOB)
        first = len(programs)
        for number in range(50):
            site.reload(text(f"Answer {number}"))
            note()
        site.script._exchanges.clear()
        site.reload(text("last"))
        assert {item() is None for item in programs[first:]} == {True}
        assert programs[0]() is not None
        site.script.run_for(3)
        assert waiting.reason == "One"
        waiting.run = None
        del waiting
        assert {item() is None for item in programs[:first]} == {True}
    finally:
        gc.enable()


@pytest.mark.parametrize("options", [(), ("dry-run",)])
def test_scripts_that_do_not_come_in_force_leave_nothing(make: Make, options: tuple[str, ...]) -> None:
    good = text("Two")
    bad = [good.replace("sl_send_reply", "sl_send"), good.replace("}", "", 1), text("Two", ELSEWHERE)]
    site = make()
    gc.collect()
    gc.disable()
    try:
        for new in bad:
            site.reload(new, *options)
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(34):
            for new in bad:
                assert site.reload(new, *options).code in (400, 409)
            site.script._record.log.clear()
        grown = len(gc.get_objects()) - before
    finally:
        gc.enable()
    assert grown < 102 * 30, grown
    gc.collect()
    assert len(gc.get_objects()) - before < 300

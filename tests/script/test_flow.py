from __future__ import annotations

import pytest

from openpy.script.callgraph import CallGraph, key_of, routes_of
from openpy.script.environment import Environment
from openpy.script.flow import RouteFlow, Ways
from openpy.script.flowstate import State, Summary
from openpy.script.methods import Methods, MethodSets
from openpy.script.parser import parse


class Trip:
    """What going through the routes of a script found; the bodies are those of `route`, `route[1]` ..."""

    def __init__(self, environment: Environment, *bodies: str) -> None:
        headers = ["route", *(f"route[{number}]" for number in range(1, len(bodies)))]
        text = "\n".join(f"{header} {{ {body} }}" for header, body in zip(headers, bodies, strict=True))
        routes = {key_of(route): route for route in routes_of(parse(text, "test.cfg").script)}
        self.methods = MethodSets(environment.methods, environment.unanswered)
        self.ways = Ways(environment, self.methods, dict.fromkeys(routes))
        for key in CallGraph(routes.values()).callees_first():
            self.ways.summaries[key] = RouteFlow(self.ways).run(routes[key])
        (self.main, *_) = self.ways.summaries.values()

    @property
    def summary(self) -> Summary:
        assert self.main is not None
        return self.main

    @property
    def told(self) -> list[tuple[str, int, str]]:
        return [(item.code, item.position.line, item.message) for item in self.ways.found]

    @property
    def codes(self) -> list[str]:
        return [item.code for item in self.ways.found]

    def names(self, methods: Methods) -> str:
        if methods == self.methods.all:
            return "all"
        found = [name for bit, name in enumerate(self.methods.names) if methods & 1 << bit]
        return " ".join([*found, "other"] if methods & self.methods.other else found)

    def shown(self, state: State) -> tuple[str, str] | None:
        """The methods that are unanswered and answered at a place; None where no way leads."""
        return (self.names(state.waiting), self.names(state.answered)) if state.alive else None

    @property
    def end(self) -> tuple[str, str] | None:
        return self.shown(self.summary.end)


# --- what becomes of methods ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (";", ("all", "")),
        ('reply("200");', ("", "all")),
        ("reply(200);", ("", "all")),
        ('reply("100");', ("all", "")),
        ('reply_as("$var(code)");', ("", "all")),
        ("handle();", ("", "all")),
        ("relay();", ("", "all")),
        ("note();", ("all", "")),
        ('say("x");', ("", "all")),
        ("unknown();", ("", "all")),
        ("stop();", None),
        ("begin();", ("all", "")),
        ("if (begin()) { exit; }", ("", "all")),
        ("exit;", None),
        ("drop;", None),
        ("return;", None),
        ("return(0);", None),
        ("$var(x) = relay();", ("", "all")),
        ("$var(x) = 1 + reply(200) * 2;", ("", "all")),
        ("if (relay()) { exit; }", ("", "all")),
        ("if (reply(200)) { exit; }", ("all", "")),
        ("if (!reply(200)) { exit; }", ("", "all")),
        ("if ($rU) { relay(); }", ("all", "all")),
        ("if ($rU) { relay(); } else { reply(404); }", ("", "all")),
        ("if ($rU) { exit; } else if ($rd) { exit; }", ("all", "")),
        ("if ($rU) { exit; } else if ($rd) { exit; } else { drop; }", None),
        ("if (reply(200) || relay()) { ; }", ("", "all")),
        ("if ($rU && relay()) { ; }", ("all", "all")),
        ("if ($rU || relay()) { exit; }", ("", "all")),
        ("if (exit) { ; }", None),
        ("if ({ relay(); }) { ; }", ("", "all")),
        ("if (if ($rU) { exit; } else { relay(); }) { ; }", ("", "all")),
        ("while ($rU) { relay(); }", ("all", "all")),
        ("while (1) { relay(); break; }", ("all", "all")),
        ("while (1) { exit; }", ("all", "")),
        ("break;", None),
    ],
)
def test_the_end_of_a_route(body: str, end: tuple[str, str] | None, environment: Environment) -> None:
    assert Trip(environment, body).end == end


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ('method=="INVITE"', "ACK CANCEL BYE OPTIONS PUBLISH SUBSCRIBE other"),
        ("method==INVITE", "ACK CANCEL BYE OPTIONS PUBLISH SUBSCRIBE other"),
        ('$rm!="INVITE"', "INVITE"),
        ('!($rm=="INVITE")', "INVITE"),
        ('is_method("INVITE|BYE")', "ACK CANCEL OPTIONS PUBLISH SUBSCRIBE other"),
        ('!is_method("INVITE") && !is_method("BYE")', "INVITE BYE"),
        ('is_method("INVITE") || $rm=="BYE"', "ACK CANCEL OPTIONS PUBLISH SUBSCRIBE other"),
        ('is_method("INVITE") && $rU', "all"),
        ('$rm=~"S"', "INVITE ACK CANCEL BYE other"),
        ('$rm!~"S"', "OPTIONS PUBLISH SUBSCRIBE other"),
        ('is_method("FOO")', "all"),
        ('$rU=="INVITE"', "all"),
        ('$rm=="INVITE" && $rm=="BYE"', "all"),
    ],
)
def test_methods_of_conditions(condition: str, left: str, environment: Environment) -> None:
    assert Trip(environment, f"if ({condition}) exit;").end == (left, "")


def test_labels_of_a_switch(environment: Environment) -> None:
    body = (
        'switch ($rm) { case "INVITE": case "BYE": relay(); break; case "ACK": exit; default: reply(405); }'
    )
    assert Trip(environment, body).end == (
        "",
        "INVITE CANCEL BYE OPTIONS PUBLISH SUBSCRIBE other",
    )
    assert Trip(environment, 'switch ($rm) { case "INVITE": relay(); }').end == (
        "ACK CANCEL BYE OPTIONS PUBLISH SUBSCRIBE other",
        "INVITE",
    )
    assert Trip(environment, "switch ($rc) { case 1: relay(); case 2: exit; }").end == ("all", "")
    assert Trip(environment, "switch ($rc) { case 1: exit; default: drop; }").end is None
    assert Trip(environment, "switch ($rc) { case 1: if ($rU) { break; } exit; default: drop; }").end == (
        "all",
        "",
    )


# --- from route to route ----------------------------------------------------------------------------------------


def test_what_a_route_does_counts_for_the_methods_of_the_caller(environment: Environment) -> None:
    called = 'if (is_method("PUBLISH")) { handle(); } else if (is_method("SUBSCRIBE")) { handle(); }'
    trip = Trip(environment, 'if (is_method("PUBLISH|SUBSCRIBE")) { route(1); exit; }', called)
    (leaving,) = trip.summary.exits
    assert (trip.names(leaving.waiting), trip.names(leaving.answered)) == ("", "PUBLISH SUBSCRIBE")
    (passing,) = trip.summary.calls
    assert (passing.name, trip.names(passing.waiting)) == ("1", "PUBLISH SUBSCRIBE")


@pytest.mark.parametrize(
    ("called", "end"),
    [
        ("return(1);", None),
        ("return(-1);", ("all", "")),
        ("return;", None),
        ("return $var(x);", ("all", "")),
        ("note();", ("all", "")),
        ("if ($rU) { relay(); return(1); } return(-1);", ("all", "")),
        ("if ($rU) { return(1); } relay(); return(-1);", ("", "all")),
        ("exit;", None),
    ],
)
def test_a_route_as_a_condition(called: str, end: tuple[str, str] | None, environment: Environment) -> None:
    assert Trip(environment, "if (route(1)) { exit; }", called).end == end


def test_a_route_that_is_not_there_gives_1(environment: Environment) -> None:
    assert Trip(environment, "if (!route(9)) { exit; }").end == ("all", "")
    assert Trip(environment, "if (route(9)) { exit; }").end is None


def test_circles_are_not_judged(environment: Environment) -> None:
    trip = Trip(environment, "route(1);", "if ($rU) { route(2); }", "route(1);")
    assert trip.codes == []
    assert trip.end is not None


# --- answered twice ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "lines"),
    [
        (["reply(404);\nreply(404);"], [("W802", 1)]),
        (["reply(404);\nif ($rU) { reply(405); }"], [("W802", 1)]),
        (["if ($rU) {\nreply(404); }\nreply(200);"], [("W802", 2)]),
        (["if ($rU) {\nreply(404); }\nif ($rd) { reply(405); } else { handle(); }"], []),
        (["if ($rU) {\nreply(404); }\nif (!relay()) { exit; }"], [("W804", 2)]),
        (["if ($rU) {\nreply(404); }\nif ($rd) {\nreply(405); }\nrelay();"], [("W804", 2), ("W804", 4)]),
        (["handle();\nreply(200);"], [("W802", 1)]),
        (["if (!handle()) {\nreply(500); }"], [("W802", 1)]),
        (["reply(200);\nhandle();"], [("W802", 1)]),
        (["if ($rU) {\nreply(404); }\nroute(1);", "reply(200);"], [("W802", 2)]),
        (["if ($rU) {\nreply(404); }\nroute(1);", "if ($rd) { reply(1 + 1); }", ""], []),
        (["if ($rU) {\nreply(404); }\nroute(1);", "if (!relay()) { reply(500); } exit;"], [("W804", 2)]),
        (["route(1);\nrelay();", "reply(404);"], [("W804", 3)]),
        (["route(1);\nrelay();", "if ($rU) { reply(404); return; } note();"], [("W804", 3)]),
        (["if (!route(1)) {\nreply(403); }\nrelay();", "return(-1);"], [("W804", 2)]),
        (["switch ($rc) { case 1:\nreply(404); break; case 2: note(); }\nreply(200);"], [("W802", 2)]),
        (["while ($rU) { note(); }\nreply(404);\nreply(404);"], [("W802", 2)]),
    ],
)  # fmt: skip
def test_one_answer_too_many(
    bodies: list[str], lines: list[tuple[str, int]], environment: Environment
) -> None:
    bodies = [body for body in bodies if body]
    if any("1 + 1" in body for body in bodies):
        bodies = [body.replace("reply(1 + 1)", "reply(200)") for body in bodies]
    assert [(code, line) for code, line, _ in Trip(environment, *bodies).told] == lines


@pytest.mark.parametrize(
    "body",
    [
        "if (!reply(200)) { reply(500); }",
        'reply("100"); reply(200);',
        'reply_as("$var(x)"); reply(200);',
        "if ($rU) { reply(404); exit; } reply(200);",
        "if ($rU) { reply(404); } else { reply(200); }",
        'if (is_method("PUBLISH")) { reply(404); } if (is_method("SUBSCRIBE")) { reply(404); }',
        "if ($rU) { reply(404); } if ($rd) { exit; } relay();",
        "if ($rU) { reply(404); } if ($rd) { drop; } relay();",
        "if ($rU) { reply(404); } unknown(); reply(200);",
        "relay(); if ($rU) { reply(404); }",
        "if (!relay()) { reply(500); } exit;",
        "handle(); relay();",
        "while ($rU) { reply(404); } note();",
        "if ($rU && reply(404)) { exit; } relay();",
    ],
)
def test_answers_that_may_exclude_each_other(body: str, environment: Environment) -> None:
    assert Trip(environment, body).told == []


def test_what_is_told_of_two_answers(environment: Environment) -> None:
    trip = Trip(environment, "if ($rU) { reply(403); }\nrelay();")
    assert (
        trip.ways.found[0].message
        == "the request is answered here, and relayed all the same by relay() in line 2"
    )
    assert trip.ways.found[0].hint == "write exit; behind this reply"
    trip = Trip(environment, "handle();\nreply(200);")
    assert trip.ways.found[0].message == "the request is answered here, and once more by reply() in line 2"
    assert trip.ways.found[0].hint == "handle() answers, whatever code it gives"


# --- never run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "reason"),
    [
        (['exit; note();'], "exit stands before it"),
        (['return(1); note(); note();'], "return stands before it"),
        (['drop; note();'], "drop stands before it"),
        (['exit; exit;'], "exit stands before it"),
        (['while ($rU) { break; note(); }'], "break stands before it"),
        (['if ($rU) { exit; note(); } note();'], "exit stands before it"),
        (['switch ($rc) { case 1: exit; note(); }'], "exit stands before it"),
        (['if ($rU) { exit; } else { drop; } note();'], "every way before it ends"),
        (['switch ($rc) { case 1: exit; default: drop; } note();'], "every way before it ends"),
        (['stop(); note();'], "stop() ends the script"),
        (["route(1); note();", "exit;"], "every way through route(1) ends the script"),
        (["route(1); note();", "if ($rU) { drop; } relay(); exit;"], "every way through route(1) ends the script"),
    ],
)  # fmt: skip
def test_what_is_never_run(bodies: list[str], reason: str, environment: Environment) -> None:
    (found,) = Trip(environment, *bodies).told
    assert (found[0], found[2]) == ("W801", f"this is never run: {reason}")


@pytest.mark.parametrize(
    "bodies",
    [
        ["exit;;"],
        ["note(); exit;"],
        ["if ($rU) { exit; } note();"],
        ["if (1) { exit; } note();"],
        ["if ($rU) { exit; } else { drop; } exit;"],
        ["route(1); exit;", "exit;"],
        ["route(1); note();", "if ($rU) { return; } exit;"],
        ["while (1) { if ($rU) { exit; } }"],
    ],
)
def test_what_may_run(bodies: list[str], environment: Environment) -> None:
    assert Trip(environment, *bodies).told == []


def test_deep_nesting_is_gone_through(environment: Environment) -> None:
    body = "if ($rU) {" * 98 + "reply(404);" + "}" * 98 + "relay();"
    assert Trip(environment, body).codes == ["W804"]

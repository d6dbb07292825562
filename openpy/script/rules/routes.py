"""4: what is wrong with the blocks of a script."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

ROUTE_NUMBER = ErrorRule(
    "E401",
    "route-number",
    "Numbers of routes go up to 39; a name has no such bound.",
    """\
route {
    route(40);
    drop;
}
route[40] {
    exit;
}
""",
    """\
route {
    route(RELAY);
    drop;
}
route[RELAY] {
    exit;
}
""",
)

ROUTE_TWICE = ErrorRule(
    "E402",
    "route-twice",
    "Two blocks have the same name, and only one of them could run.",
    """\
route {
    route(1);
    drop;
}
route[1] {
    return;
}
route[1] {
    exit;
}
""",
    """\
route {
    route(1);
    route(2);
    drop;
}
route[1] {
    return;
}
route[2] {
    exit;
}
""",
)

ROUTE_NAME = ErrorRule(
    "E403",
    "route-name",
    "`failure_route` and `branch_route` have a number or a name, `event_route` has an event; `error_route` and"
    " `request_route` have none.",
    """\
route {
    exit;
}
error_route[1] {
    exit;
}
""",
    """\
route {
    exit;
}
error_route {
    exit;
}
""",
)

UNKNOWN_EVENT = ErrorRule(
    "E404",
    "unknown-event",
    "Nothing that is loaded raises this event, so the block would never run.",
    """\
route {
    exit;
}
event_route[core:worker-one-int] {
    exit;
}
""",
    """\
route {
    exit;
}
event_route[core:worker-one-init] {
    exit;
}
""",
)

UNDEFINED_ROUTE = WarningRule(
    "W405",
    "undefined-route",
    "The script calls or arms a route that is not there. OpenSER starts with it: the call does nothing and gives 1.",
    """\
route {
    route(RELAY);
    drop;
}
""",
    """\
route {
    route(RELAY);
    drop;
}
route[RELAY] {
    exit;
}
""",
)

UNUSED_ROUTE = WarningRule(
    "W406",
    "unused-route",
    "No way leads to this block: no block that can run calls it by `route()`, or arms it (`t_on_failure`,"
    " `t_on_branch`, `t_on_reply`).",
    """\
route {
    exit;
}
route[RELAY] {
    exit;
}
""",
    """\
route {
    route(RELAY);
    drop;
}
route[RELAY] {
    exit;
}
""",
)

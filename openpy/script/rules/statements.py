"""1: what is wrong with the form of statements."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

MISSING_PARENTHESES = ErrorRule(
    "E112",
    "missing-parentheses",
    "A function is called with parentheses, also without arguments; only a few commands of the core may go without.",
    """\
loadmodule "tm.so"
route {
    t_relay;
}
""",
    """\
loadmodule "tm.so"
route {
    t_relay();
}
""",
)

SINGLE_EQUALS = ErrorRule(
    "E113",
    "single-equals",
    "A single `=` assigns to a variable; a comparison is written `==`.",
    """\
route {
    if (uri = "sip:bob@example.com") exit;
    drop;
}
""",
    """\
route {
    if (uri == "sip:bob@example.com") exit;
    drop;
}
""",
)

NOT_ASSIGNABLE = ErrorRule(
    "E114",
    "not-assignable",
    "Only a variable can be assigned to, and it begins with `$`.",
    """\
route {
    tries = 3;
    exit;
}
""",
    """\
route {
    $var(tries) = 3;
    exit;
}
""",
)

DOUBLE_EQUALS = ErrorRule(
    "E115",
    "double-equals",
    "A parameter is set with a single `=`.",
    """\
debug == 3
route {
    exit;
}
""",
    """\
debug = 3
route {
    exit;
}
""",
)

STRAY_ELSE = ErrorRule(
    "E116",
    "stray-else",
    "There is no `if` that this `else` could belong to; most often a `;` before it has ended the `if`.",
    """\
route {
    if ($var(x)) { exit; }; else { drop; }
}
""",
    """\
route {
    if ($var(x)) { exit; } else { drop; }
}
""",
)

STRAY_CASE = ErrorRule(
    "E117",
    "stray-case",
    "`case` and `default` are parts of a `switch`.",
    """\
route {
    case 1:
        exit;
}
""",
    """\
route {
    switch ($rc) {
        case 1:
            exit;
    }
    drop;
}
""",
)

OUTSIDE_ROUTE = ErrorRule(
    "E118",
    "outside-route",
    "Commands stand in routes. Often a `}` above is one too many, or the header of a route is missing.",
    """\
route {
    exit;
}
setflag(1);
""",
    """\
route {
    setflag(1);
    exit;
}
""",
)

UNKNOWN_STATEMENT = ErrorRule(
    "E119",
    "unknown-statement",
    "This word begins nothing outside of routes. A parameter is `name = value`.",
    """\
loadmodul "sl.so"
route {
    exit;
}
""",
    """\
debug = 3
route {
    exit;
}
""",
)

OTHER_DIALECT = ErrorRule(
    "E120",
    "other-dialect",
    "Kamailio or OpenSIPS has this, and the language of OpenSER has not. The hint says what to write here.",
    """\
startup_route {
    exit;
}
route {
    exit;
}
""",
    """\
event_route[core:worker-one-init] {
    exit;
}
route {
    exit;
}
""",
)

CALCULATION = ErrorRule(
    "E121",
    "calculation",
    "Only the right side of an assignment, and what stands in `[ ]`, is calculated: no argument, no `return`, no side"
    " of a comparison.",
    """\
route {
    if ($var(x) + 1 == 2) exit;
    drop;
}
""",
    """\
route {
    $var(y) = $var(x) + 1;
    if ($var(y) == 2) exit;
    drop;
}
""",
)

BIT_OPERATOR = ErrorRule(
    "E122",
    "bit-operator",
    "A single `&` or `|` calculates with bits; conditions are joined by `&&` and `||`.",
    """\
route {
    if ($var(x) | $var(y)) exit;
    drop;
}
""",
    """\
route {
    if ($var(x) || $var(y)) exit;
    drop;
}
""",
)

STRINGS_SIDE_BY_SIDE = ErrorRule(
    "E123",
    "strings-side-by-side",
    "Arguments are separated by commas; strings are joined by `+`, in an assignment.",
    """\
route {
    log("a" "b");
    exit;
}
""",
    """\
route {
    $var(x) = "a" + "b";
    exit;
}
""",
)

MISSING_ARGUMENT = ErrorRule(
    "E124",
    "missing-argument",
    "There is a comma, and nothing before it. An argument that is empty is written `\"\"`.",
    """\
route {
    log(, "b");
    exit;
}
""",
    """\
route {
    log(1, "b");
    exit;
}
""",
)  # fmt: skip

BAD_INDEX = ErrorRule(
    "E125",
    "bad-index",
    "An index belongs to the variable only inside of `$( )`.",
    """\
route {
    if ($hdr(Via)[1] == "x") exit;
    drop;
}
""",
    """\
route {
    if ($(hdr(Via)[1]) == "x") exit;
    drop;
}
""",
)

COMPARED = ErrorRule(
    "E126",
    "bad-side",
    "A comparison has a variable on its left and one value on its right: its result cannot be compared again, nor can"
    " the code of a call.",
    """\
loadmodule "tm.so"
route {
    if (t_relay() == 1) exit;
    drop;
}
""",
    """\
loadmodule "tm.so"
route {
    t_relay();
    if ($retcode == 1) exit;
    drop;
}
""",
)

STRAY_BLOCK = ErrorRule(
    "E127",
    "stray-block",
    "A block belongs to `if`, `else`, `while` or a route; `{ }` alone is no statement.",
    """\
route {
    {
        exit;
    }
}
""",
    """\
route {
    exit;
}
""",
)

BAD_RETURN = ErrorRule(
    "E131",
    "bad-return",
    "A route returns a number, or a variable that holds one.",
    """\
route {
    route(1);
    drop;
}
route[1] {
    return "yes";
}
""",
    """\
route {
    route(1);
    drop;
}
route[1] {
    return(1);
}
""",
)

BAD_SWITCH = ErrorRule(
    "E132",
    "bad-switch",
    "A `switch` has at least one `case` with a number or a string; `break` ends a case, and `default` is the last.",
    """\
route {
    switch ($rc) {
        default: drop;
        case 1: exit;
    }
}
""",
    """\
route {
    switch ($rc) {
        case 1: exit;
        default: drop;
    }
}
""",
)

STRAY_END = WarningRule(
    "W133",
    "stray-end",
    "An `exit;` or `}` stands outside of any route, as in the script that OpenSER 1.3 came with: the route that it"
    " ended is commented out, and its end was forgotten. It is skipped.",
    """\
route {
    exit;
}
#route[2] {
#    drop;
    exit;
}
""",
    """\
route {
    exit;
}
#route[2] {
#    drop;
#    exit;
#}
""",
)

STRAY_BREAK = WarningRule(
    "W135",
    "stray-break",
    "Outside of a loop and a switch, `break` leaves the route, as it did in SER. Who reads it may think of a loop.",
    """\
route {
    if ($var(x)) break;
    drop;
}
""",
    """\
route {
    if ($var(x)) return;
    drop;
}
""",
)

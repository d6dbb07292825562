"""7: what is wrong with conditions, comparisons and patterns, or surprising in them."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

NO_CONDITION = ErrorRule(
    "E701",
    "no-condition",
    "A call, a comparison, a variable or a number can be a condition; a string, a word or a keyword alone cannot.",
    """\
route {
    if (method) exit;
    drop;
}
""",
    """\
route {
    if (method == "INVITE") exit;
    drop;
}
""",
)

BAD_COMPARISON = ErrorRule(
    "E702",
    "bad-comparison",
    "What stands on the two sides cannot be compared this way.",
    """\
route {
    if (src_port =~ 5060) exit;
    drop;
}
""",
    """\
route {
    if (src_port == 5060) exit;
    drop;
}
""",
)

FAILS = WarningRule(
    "W703",
    "failing-comparison",
    "The comparison is allowed, and is an error each time that it is made: it is never true, and `!` before it does"
    " not change that. Text is no number, even if it consists of digits.",
    """\
route {
    if ($rU == 100) exit;
    drop;
}
""",
    """\
route {
    if ($rU == "100") exit;
    drop;
}
""",
)

BAD_PATTERN = ErrorRule(
    "E704",
    "bad-pattern",
    "The text is no POSIX extended regular expression.",
    """\
route {
    if ($rU =~ "[0-9") exit;
    drop;
}
""",
    """\
route {
    if ($rU =~ "[0-9]") exit;
    drop;
}
""",
)

FOREIGN_PATTERN = WarningRule(
    "W705",
    "foreign-pattern",
    "Other languages have this in their regular expressions. POSIX reads it as something else.",
    """\
route {
    if ($rU =~ "^\\d+$") exit;
    drop;
}
""",
    """\
route {
    if ($rU =~ "^[0-9]+$") exit;
    drop;
}
""",
)

IMPOSSIBLE_PATTERN = WarningRule(
    "W706",
    "impossible-pattern",
    "No text can match: `^` is the beginning and `$` the end of the whole text, so nothing comes before the one or"
    " behind the other. The character itself is `\\^` or `\\$`. A URI begins with its scheme.",
    """\
route {
    if ($rU =~ "00^49") exit;
    drop;
}
""",
    """\
route {
    if ($rU =~ "^0049") exit;
    drop;
}
""",
)

CONSTANT = WarningRule(
    "W707",
    "constant-condition",
    "The condition has the same answer for every message: it is made of numbers, or its parts exclude each other"
    " (`!= a || != b` is always true). An endless `while (1)` that can be left is no such case.",
    """\
route {
    if ($rm != "INVITE" || $rm != "ACK") exit;
    drop;
}
""",
    """\
route {
    if ($rm != "INVITE" && $rm != "ACK") exit;
    drop;
}
""",
)

ASSIGNED = WarningRule(
    "W708",
    "assigned-in-condition",
    "A single `=` assigns, and as a condition it says whether that worked: `$var(x) = 0` is true.",
    """\
route {
    if ($var(x) = 1) exit;
    drop;
}
""",
    """\
route {
    if ($var(x) == 1) exit;
    drop;
}
""",
)

MIXED_LOGIC = WarningRule(
    "W709",
    "mixed-logic",
    "`&&` and `||` bind equally tight in this language and are evaluated from left to right: `1 || 0 && 0` is false."
    " Parentheses say what is meant.",
    """\
route {
    if ($rU == "a" || $rU == "b" && $si == "10.0.0.1") exit;
    drop;
}
""",
    """\
route {
    if ($rU == "a" || ($rU == "b" && $si == "10.0.0.1")) exit;
    drop;
}
""",
)

MIXED_CALCULATION = WarningRule(
    "W710",
    "mixed-calculation",
    "`+ - * / %` bind equally tight in this language, and so do `& | ^`; they are calculated from left to right:"
    " `2+3*4` is 20. Parentheses say what is meant.",
    """\
route {
    $var(x) = $var(y) + 3 * 4;
    exit;
}
""",
    """\
route {
    $var(x) = $var(y) + (3 * 4);
    exit;
}
""",
)

UNKNOWN_METHOD = WarningRule(
    "W711",
    "unknown-method",
    "The word is close to the name of a method, and is none.",
    """\
route {
    if (method == "INVTE") exit;
    drop;
}
""",
    """\
route {
    if (method == "INVITE") exit;
    drop;
}
""",
)

NEVER_EQUAL = WarningRule(
    "W712",
    "never-equal",
    "The two sides always look different: a whole URI begins with its scheme, a domain has none, an address is no"
    " network, text is no number, and a host name that cannot be resolved has no address.",
    """\
route {
    if ($ru == "bob@example.com") exit;
    drop;
}
""",
    """\
route {
    if ($ru == "sip:bob@example.com") exit;
    drop;
}
""",
)

"""6: what is wrong with variables, transformations and values."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

UNKNOWN_VARIABLE = ErrorRule(
    "E601",
    "unknown-variable",
    "Nothing that is loaded has this pseudo-variable. A name is as long as it can be, so `$rd.` is called `rd.`:"
    " write `$(rd).` there.",
    """\
route {
    $var(x) = $nosuch;
    exit;
}
""",
    """\
route {
    $var(x) = $ru;
    exit;
}
""",
)

BAD_REFERENCE = ErrorRule(
    "E602",
    "bad-reference",
    "The variable is there, and is written in a way that it cannot be read: a name or an index that it does not take,"
    " text behind it.",
    """\
route {
    $var(x) = $(ru[1]);
    exit;
}
""",
    """\
route {
    $var(x) = $(hdr(Via)[1]);
    exit;
}
""",
)

BAD_TRANSFORMATION = ErrorRule(
    "E603",
    "bad-transformation",
    "There is no transformation of this name, or it takes other parameters.",
    """\
route {
    $var(x) = $(ru{s.length});
    exit;
}
""",
    """\
route {
    $var(x) = $(ru{s.len});
    exit;
}
""",
)

READ_ONLY = ErrorRule(
    "E604",
    "read-only",
    "The variable can be read and not be set. What can: `$var`, `$avp`, `$ru`, `$rU`, `$rd`, `$du`, `$br`, `$fs`.",
    """\
route {
    $rm = "INVITE";
    exit;
}
""",
    """\
route {
    $rU = "bob";
    exit;
}
""",
)

BAD_NULL = ErrorRule(
    "E605",
    "bad-null",
    "NULL can be assigned with `=`, and with `:=` to an AVP; it cannot be calculated with.",
    """\
route {
    $var(x) := NULL;
    exit;
}
""",
    """\
route {
    $var(x) = NULL;
    exit;
}
""",
)

NO_VALUE = ErrorRule(
    "E606",
    "no-value",
    "A keyword such as `uri` or `src_ip` can be compared; the value that can be assigned is in a pseudo-variable.",
    """\
route {
    $var(x) = uri;
    exit;
}
""",
    """\
route {
    $var(x) = $ru;
    exit;
}
""",
)

FAILING_ASSIGNMENT = WarningRule(
    "W607",
    "failing-assignment",
    "The variable takes text only, or cannot be NULL: the assignment fails each time, gives -1 and changes nothing.",
    """\
route {
    $rU = 100;
    drop;
}
""",
    """\
route {
    $rU = "100";
    drop;
}
""",
)

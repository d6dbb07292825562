"""1: what is wrong with the text of a script, whatever it means: brackets, quotes, numbers, its size."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule, WarningRule

UNEXPECTED = ErrorRule(
    "E101",
    "unexpected-text",
    "Something stands where the language has no place for it. The message names what could stand there.",
    """\
route {
    log(1 "hello");
    exit;
}
""",
    """\
route {
    log(1, "hello");
    exit;
}
""",
)  # fmt: skip

MISSING_SEMICOLON = ErrorRule(
    "E102",
    "missing-semicolon",
    "Each command ends with `;`, also the last one before `}` and the one before `else`.",
    """\
route {
    setflag(1)
    exit;
}
""",
    """\
route {
    setflag(1);
    exit;
}
""",
)

UNCLOSED_PARENTHESIS = ErrorRule(
    "E103",
    "unclosed-parenthesis",
    "A `(` or `[` has no partner before the statement ends. The place of the opening one is told.",
    """\
route {
    if ($rm == "INVITE" {
        exit;
    }
}
""",
    """\
route {
    if ($rm == "INVITE") {
        exit;
    }
    drop;
}
""",
)

STRAY_PARENTHESIS = ErrorRule(
    "E104",
    "stray-parenthesis",
    "A `)` or `]` closes nothing.",
    """\
route {
    if ($rm == "INVITE")) {
        exit;
    }
    drop;
}
""",
    """\
route {
    if ($rm == "INVITE") {
        exit;
    }
    drop;
}
""",
)

UNCLOSED_BLOCK = ErrorRule(
    "E105",
    "unclosed-block",
    "A `{` is never closed. Where the indentation shows which one it is, that one is told.",
    """\
route {
    if ($rm == "INVITE") {
        exit;

    drop;
}
""",
    """\
route {
    if ($rm == "INVITE") {
        exit;
    }
    drop;
}
""",
)

UNCLOSED_STRING = ErrorRule(
    "E106",
    "unclosed-string",
    "A quote is missing, or there is one too many: from there on, what is inside and outside of strings has changed"
    " places, so nothing behind it is looked at.",
    """\
route {
    log("hello);
    exit;
}
""",
    """\
route {
    log("hello");
    exit;
}
""",
)

UNCLOSED_COMMENT = ErrorRule(
    "E107",
    "unclosed-comment",
    "A `/*` has no `*/`. Comments nest, so each `/*` needs its own.",
    """\
route {
    exit;
}
/* the old one: /* route { drop; } */
""",
    """\
route {
    exit;
}
/* the old one: /* route { drop; } */ */
""",
)

UNFINISHED_FILE = ErrorRule(
    "E108",
    "unfinished-file",
    "The script ends where a value or a name has to follow.",
    """\
route {
    exit;
}
debug =
""",
    """\
debug = 3
route {
    exit;
}
""",
)

TOO_DEEP = ErrorRule(
    "E109",
    "too-deep",
    "Blocks, parentheses and `!` may be nested 100 levels deep. A part of it can become a route of its own.",
    "route {\n    if (" + "!" * 102 + "$var(x)) exit;\n    drop;\n}\n",
    """\
route {
    if (!!$var(x)) exit;
    drop;
}
""",
)

TOO_MUCH = ErrorRule(
    "E110",
    "too-much",
    "A script has bounds, so that a wrong one costs seconds and not the machine: the characters of all its files, the"
    " number of files, what defined names stand for together, the number of mistakes that are told.",
    "#!define A 1 1 1 1 1 1 1 1 1 1\n"
    + "".join(f"#!define {name} {' '.join(before * 10)}\n" for before, name in zip("ABCDE", "BCDEF", strict=True))
    + "route {\n    log(F);\n    exit;\n}\n",
    """\
#!define A 1
route {
    setflag(A);
    exit;
}
""",
)  # fmt: skip

NO_COMMENT = ErrorRule(
    "E111",
    "no-comment",
    "`//` divides twice; comments begin with `#`, or stand between `/*` and `*/`.",
    """\
route {
    // all others
    exit;
}
""",
    """\
route {
    # all others
    exit;
}
""",
)

BAD_NUMBER = ErrorRule(
    "E128",
    "bad-number",
    "Numbers have 32 bits. What begins with 0 is octal, with 0x hexadecimal.",
    """\
route {
    setflag(08);
    exit;
}
""",
    """\
route {
    setflag(8);
    exit;
}
""",
)

BAD_VARIABLE = ErrorRule(
    "E129",
    "bad-variable",
    "A `$` is followed by a name, and what opens a `(` closes it in the same line.",
    """\
route {
    $var(x = 1;
    exit;
}
""",
    """\
route {
    $var(x) = 1;
    exit;
}
""",
)

BAD_ADDRESS = ErrorRule(
    "E130",
    "bad-address",
    "This looks like an address or a network, and is none.",
    """\
route {
    if (src_ip == 10.0.0.256) exit;
    drop;
}
""",
    """\
route {
    if (src_ip == 10.0.0.255) exit;
    drop;
}
""",
)

SKIPPED_CHARACTER = WarningRule(
    "W134",
    "skipped-character",
    "The character belongs to nothing that the language knows. OpenSER skips it without a word.",
    """\
route {
    ? exit;
}
""",
    """\
route {
    exit;
}
""",
)

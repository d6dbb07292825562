"""2: what is wrong with defined names, conditions and included files."""

from __future__ import annotations

from openpy.script.rules.rule import ErrorRule

BAD_DIRECTIVE = ErrorRule(
    "E201",
    "bad-directive",
    "What `#!define` and `#!ifdef` are followed by is a name: letters, digits and underscores.",
    """\
#!define my-level 3
route {
    exit;
}
""",
    """\
#!define MY_LEVEL 3
debug = MY_LEVEL
route {
    exit;
}
""",
)

DEFINED_TWICE = ErrorRule(
    "E202",
    "defined-twice",
    "A name that is defined keeps its value: `#!redefine` gives it another one on purpose, `#!trydef` only a value if"
    " it has none.",
    """\
#!define LEVEL 3
#!define LEVEL 4
route {
    exit;
}
""",
    """\
#!define LEVEL 3
#!redefine LEVEL 4
route {
    exit;
}
""",
)

UNBALANCED_IFDEF = ErrorRule(
    "E203",
    "unbalanced-ifdef",
    "Each `#!ifdef` or `#!ifndef` has one `#!endif`, and at most one `#!else`, in the same file.",
    """\
#!ifdef DEBUG
debug = 4
route {
    exit;
}
#!endif
#!endif
""",
    """\
#!ifdef DEBUG
debug = 4
#!endif
route {
    exit;
}
""",
)

BAD_SUBSTITUTION = ErrorRule(
    "E204",
    "bad-substitution",
    'A substitution is written `"/this/that/flags"`, with any character in place of the slashes.',
    """\
#!subst "/old/new"
route {
    exit;
}
""",
    """\
#!subst "/old/new/g"
route {
    exit;
}
""",
)

NO_SUCH_FILE = ErrorRule(
    "E205",
    "no-such-file",
    "An included file cannot be read. Its name is looked up beside the file that includes it; `import_file` does not"
    " mind if it is missing.",
    """\
include_file "local.cfg"
route {
    exit;
}
""",
    """\
import_file "local.cfg"
route {
    exit;
}
""",
)

ENDLESS_INCLUDE = ErrorRule(
    "E206",
    "endless-include",
    "A file includes itself, or files include each other more than ten levels deep.",
    """\
include_file "openser.cfg"
route {
    exit;
}
""",
    """\
route {
    exit;
}
""",
)

"""One layout for all scripts: what changes, what never does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.script.diagnostics import ScriptError
from openpy.script.formatting import format_script
from openpy.script.lexer import COMMENT, END, SourceText, scan
from openpy.script.parser import parse
from openpy.script.syntax import Script
from openpy.script.traversal import too_deep
from tests.script.printing import print_script
from tests.script.trees import scripts

FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPT_FENCE = re.compile(r"^```openser\n(.*?)^```", re.MULTILINE | re.DOTALL)
GOLDEN_SEPARATOR = "=" * 80 + "\n"


def shuffled_tokens(text: str) -> list[str]:
    return [token.text for token in scan(SourceText(text, ""), []) if token.kind != END]


def comments_of(text: str) -> list[str]:
    return [token.text for token in scan(SourceText(text, ""), [], comments=True) if token.kind == COMMENT]


GAPS = st.sampled_from(
    (
        *(" ", "\n", "\n\n\n\n", "\t", "\r\n"),
        *(" # c\n", "\n# c\n", "\n\n\n# c\n", " /* c */ ", "\n/* c\n */\n", "\n/* c */ ", "/* c */\n"),
        *(
            "\n/* c */ /* d */ # e\n",
            " #!define X 1\n",
            "\n#!KAMAILIO\n",
            " /* */ #!endif\n",
            "\n#!define Y 2\n",
        ),
        *("\n#!ifdef NEVER\ncan't be read\n#!endif\n", "\n#!ifdef OPENPY\n#!else\nfoo( );\n#!endif\n"),
        *("\n#!ifndef OPENPY\nfoo( ); # x\n#!endif\n", "\n#!ifdef NEVER\n route[1] { foo( ); }\n#!else\n"),
        "\n#!endif\n",
    )
)


@given(scripts())
def test_a_tree_is_the_same_in_the_one_layout(script: Script) -> None:
    text = print_script(script)
    assert parse(text, "t.cfg").script.statements == script.statements
    formatted = format_script(text, "t.cfg")
    assert parse(formatted, "t.cfg").script.statements == script.statements
    assert format_script(formatted, "t.cfg") == formatted


@settings(max_examples=60)
@given(scripts(), st.data())
def test_whatever_the_white_space_only_that_changes(script: Script, data: st.DataObject) -> None:
    tokens = shuffled_tokens(print_script(script))
    common = data.draw(st.sampled_from((" ", "\n")))
    places = data.draw(st.dictionaries(st.integers(0, len(tokens)), GAPS, max_size=12))
    text = places.get(0, "")
    for number, token in enumerate(tokens, 1):
        text += token + places.get(number, common)
    text = text.replace("#!define Y 2", "#!trydef Y 2")
    try:
        expected = parse(text, "t.cfg").script.statements
    except ScriptError:
        with pytest.raises(ScriptError):
            format_script(text, "t.cfg")
        return
    formatted = format_script(text, "t.cfg")
    assert parse(formatted, "t.cfg").script.statements == expected
    assert format_script(formatted, "t.cfg") == formatted


@settings(max_examples=300)
@given(st.text(st.sampled_from("{}()[];:,!~=&|+-*/%<>^.@$#\"'\\ \n\r\tab0x_é")) | st.text())
def test_no_text_does_anything_but_to_be_formatted_or_refused(text: str) -> None:
    try:
        formatted = format_script(text, "t.cfg")
    except ScriptError:
        return
    assert format_script(formatted, "t.cfg") == formatted


def known_scripts(root: Path, shared: Path) -> Iterator[tuple[str, str]]:
    for folder in ("examples", "tests"):
        for path in sorted((root / folder).rglob("*.cfg")):
            yield str(path), path.read_text("utf-8", "surrogateescape")
    for path in sorted((root / "tests/golden").glob("*.golden")):
        yield str(path), path.read_text("utf-8").partition(GOLDEN_SEPARATOR)[0]
    for pattern in ("docs/**/*.md", "README.md"):
        for path in sorted(root.glob(pattern)):
            yield from ((str(path), block) for block in FENCE.findall(path.read_text("utf-8")))
    for path in sorted(shared.rglob("*.md")):
        yield from ((str(path), block) for block in FENCE.findall(path.read_text("utf-8")))


def test_no_known_script_changes_its_meaning(root: Path, shared: Path) -> None:
    def read(path: str) -> bytes:
        return (root / "tests/golden" / path).read_bytes()

    count = 0
    for name, text in known_scripts(root, shared):
        try:
            before = parse(text, name, read)
        except (ScriptError, OSError):
            continue
        if too_deep(before.script.statements):
            continue
        formatted = format_script(text, name, read)
        assert parse(formatted, name, read).script == before.script
        assert comments_of(formatted) == comments_of(text)
        assert format_script(formatted, name, read) == formatted
        count += 1
    assert count > 150


def test_the_scripts_in_the_docs_are_formatted(root: Path) -> None:
    pages = [*root.glob("docs/**/*.md"), root / "README.md"]
    scripts = [block for page in pages for block in SCRIPT_FENCE.findall(page.read_text("utf-8"))]
    assert len(scripts) >= 3
    for text in scripts:
        assert format_script(text, "docs.cfg") == text


def test_the_examples_are_formatted(root: Path) -> None:
    paths = sorted((root / "examples").rglob("*.cfg"))
    assert paths
    for path in paths:
        text = path.read_text("utf-8")
        assert format_script(text, str(path), lambda name: Path(name).read_bytes()) == text


def test_what_does_not_parse_is_not_formatted() -> None:
    with pytest.raises(ScriptError, match="missing"):
        format_script("route { a() }", "t.cfg")


def test_what_is_nested_too_deeply_is_not_formatted() -> None:
    with pytest.raises(ScriptError, match="levels deep"):
        format_script("route {" + "if (a()) {" * 120 + "}" * 121, "t.cfg")


def test_included_files_are_read_and_not_shown() -> None:
    text = 'route { include_file "x"\nif (a()) { b(); } }'
    formatted = format_script(text, "t.cfg", lambda path: b"c( );\n")
    assert formatted == 'route {\n\tinclude_file "x"\n\tif (a()) {\n\t\tb();\n\t}\n}\n'


def test_names_of_the_command_line_count() -> None:
    text = "route { HEAD { a(); } }"
    formatted = format_script(text, "t.cfg", definitions=[("HEAD", "if (b())")])
    assert formatted == "route {\n\tHEAD {\n\t\ta();\n\t}\n}\n"


def test_line_ends_of_other_systems_stay() -> None:
    text = 'route {\r\na( "x\r\ny" ); # c\r\n}\r\n'
    assert format_script(text, "t.cfg") == 'route {\r\n\ta("x\r\ny"); # c\r\n}\r\n'


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ("b( );if(c())d();", "\tb();\n\tif (c())\n\t\td();"),
        ("  don't; read (this)  ", "  don't; read (this)  "),
        (" it isn't, isn't it", " it isn't, isn't it"),
        ("b(X ) ;", "\tb(X);"),
        ("} route[3] {", "}\nroute[3] {"),
        (") route", ") route"),
    ],
)
def test_what_is_left_out_is_formatted_if_it_parses(left_out: str, expected: str) -> None:
    text = f"#!define X 5\nroute {{\na();\n#!ifdef NEVER\n{left_out}\n#!endif\n}}"
    formatted = format_script(text, "t.cfg")
    assert formatted == f"#!define X 5\nroute {{\n\ta();\n#!ifdef NEVER\n{expected}\n#!endif\n}}\n"


def test_what_is_left_out_within_what_is_left_out() -> None:
    text = "#!ifdef A\ndebug = 1\n#!ifdef B\nnot (\n#!else\nfork = no\n#!endif\n#!endif\n"
    expected = "#!ifdef A\ndebug=1\n#!ifdef B\nnot (\n#!else\nfork=no\n#!endif\n#!endif\n"
    assert format_script(text, "t.cfg") == expected
    deep = "".join(f"#!ifdef A{n}\n" for n in range(40)) + "debug = 1\n" + "#!endif\n" * 40
    assert format_script(deep, "t.cfg") == deep


def test_a_directive_that_is_only_a_comment_stays_one() -> None:
    text = "route { # a\n/* b */ #!define X 1\nX(); # c\n; #!define Y 2\n}"
    formatted = format_script(text, "t.cfg")
    assert parse(formatted, "t.cfg").script == parse(text, "t.cfg").script
    assert format_script(formatted, "t.cfg") == formatted


def test_a_large_script_takes_some_seconds_at_most() -> None:
    text = "route {\n" + "if(a()){b();}\n" * 2_000 + "}"
    assert len(format_script(text, "t.cfg").splitlines()) == 6_002

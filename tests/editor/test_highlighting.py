"""The lexer for Pygments."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import lex
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, _TokenType

from openpy.editor.highlighting import ScriptLexer
from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse

FENCE = re.compile(r"^```(openser)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def tokens(text: str) -> list[tuple[_TokenType, str]]:
    return [(kind, value) for kind, value in lex(text, ScriptLexer()) if value.strip()]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("route[1] {}", Keyword.Declaration, "route"),
        ("loadmodule 'x'", Keyword.Namespace, "loadmodule"),
        ("if (a()) exit;", Keyword, "exit"),
        ("fork=no", Keyword.Constant, "no"),
        ("fork=no", Name.Attribute, "fork"),
        ("if (method=='x') {}", Name.Builtin.Pseudo, "method"),
        ("rewriteuri('x')", Name.Builtin, "rewriteuri"),
        ("foo ('x')", Name.Function, "foo"),
        ("listen=udp:route.example.com:5060", Name.Other, "route.example.com"),
        ("src_ip==10.0.0.0/8", Number.Other, "10.0.0.0/8"),
        ("a and b", Operator.Word, "and"),
        ("$var(x)=0x1f", Number, "0x1f"),
        ("a('$x')", String.Single, "'$x'"),
        ('a("\\n")', String.Escape, "\\n"),
        ('a("$hdr(To)")', Name.Variable, "$hdr(To)"),
        ("$(ru{s.len})", Name.Decorator, "s.len"),
        ("$(avp(s:x)[1])", Name.Variable, "s:x"),
        ("/* a /* b */ c */", Comment.Multiline, " c "),
        ("#!define X 1 \\\n 2", Comment.PreprocFile, " X 1 \\\n 2"),
        ("#!KAMAILIO", Comment.Single, "#!KAMAILIO"),
        ("\x01", Error, "\x01"),
    ],
)
def test_kinds(text: str, kind: _TokenType, value: str) -> None:
    assert (kind, value) in tokens(text)


def test_the_blocks_of_the_docs_have_no_errors(root: Path) -> None:
    blocks = [
        block
        for path in [*root.glob("docs/**/*.md"), root / "README.md"]
        for name, block in FENCE.findall(path.read_text())
        if name
    ]
    assert len(blocks) >= 3
    for block in blocks:
        assert not [value for kind, value in tokens(block) if kind is Error]
        assert parse(block, "docs.cfg")


def test_no_script_without_mistakes_has_errors(root: Path) -> None:
    folder = root / "tests/golden"
    paths = [*folder.glob("*.golden"), *root.glob("tests/language/**/*.cfg"), *root.glob("examples/**/*.cfg")]
    count = 0
    for path in paths:
        text = path.read_text().partition("=" * 80 + "\n")[0]
        try:
            if parse(text, str(path), lambda name: (folder / name).read_bytes()).found:
                continue
        except ScriptError:
            continue
        assert not [value for kind, value in tokens(text) if kind is Error], path
        count += 1
    assert count > 100


@given(st.text(st.sampled_from("ab$({[\"'\\)]}#!/*;=\n @1.")))
def test_nothing_stops_it(text: str) -> None:
    assert "".join(value for _, value in ScriptLexer(ensurenl=False, stripnl=False).get_tokens(text)) == text


def test_it_is_found_by_its_names(root: Path) -> None:
    points = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"][
        "pygments.lexers"
    ]
    assert points == {"openser": f"{ScriptLexer.__module__}:{ScriptLexer.__name__}"}
    assert ScriptLexer.aliases == ["openser", "openser.cfg"]
    assert ScriptLexer.filenames == ["openser*.cfg"]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.script.diagnostics import Severity
from openpy.script.lexer import COMMENT, DIRECTIVE, END, SourceText, begins_line, scan, tokenize


def kinds(text: str) -> list[tuple[str, str]]:
    tokens, found = tokenize(SourceText(text, "t.cfg"))
    assert not found
    assert tokens[-1].kind == END
    return [(token.kind, token.text) for token in tokens[:-1]]


def texts(text: str) -> list[str]:
    return [word for _, word in kinds(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXIT If", [("WORD", "EXIT"), ("WORD", "If")]),
        ("a \t\b\r\n b", [("WORD", "a"), ("WORD", "b")]),
        ("a\\\nb", [("WORD", "a"), ("WORD", "b")]),
        ("a # b\nc", [("WORD", "a"), ("WORD", "c")]),
        ("a # the end", [("WORD", "a")]),
        ("#!KAMAILIO\na", [("WORD", "a")]),
        ("#!defined X\na", [("WORD", "a")]),
        ("a #!define X\nb", [("WORD", "a"), ("WORD", "b")]),
        ("/* */ #!endif\nb", [("WORD", "b")]),
        (" \t#!define X  1 \na", [(DIRECTIVE, "define X  1"), ("WORD", "a")]),
        ("#!define X 1 \\\n 2\na", [(DIRECTIVE, "define X 1 \\\n 2"), ("WORD", "a")]),
        ("#!define X \\1\\\r\n2", [(DIRECTIVE, "define X \\1\\\r\n2")]),
        ('#!include_file "x"', [(DIRECTIVE, 'include_file "x"')]),
        ("@ruri.user==1", [("VARIABLE", "@ruri.user"), ("COMPARE", "=="), ("NUMBER", "1")]),
        ("/* a /* b */ c */ d", [("WORD", "d")]),
        ("# /* \na", [("WORD", "a")]),
        ("/* # */ a", [("WORD", "a")]),
        ('/* " */ a', [("WORD", "a")]),
        ('"a\\"b" \'c"\'', [("STRING", '"a\\"b"'), ("STRING", "'c\"'")]),
        ('"# /* "', [("STRING", '"# /* "')]),
        ("yes off enable", [("NUMBER", "yes"), ("NUMBER", "off"), ("NUMBER", "enable")]),
        ("Yes TRUE", [("WORD", "Yes"), ("WORD", "TRUE")]),
        ("0x1F 010 5", [("NUMBER", "0x1F"), ("NUMBER", "010"), ("NUMBER", "5")]),
        ("5-3", [("NUMBER", "5"), ("SIGN", "-"), ("NUMBER", "3")]),
        ("case-2", [("case", "case"), ("SIGN", "-"), ("NUMBER", "2")]),
        ("1.2.3.4", [("NETWORK", "1.2.3.4")]),
        ("10.0.0.0 / 8", [("NETWORK", "10.0.0.0/8")]),
        ("10.0.0.0/255.0.0.0", [("NETWORK", "10.0.0.0/255.0.0.0")]),
        ("[::1] :: fe80::1", [("NETWORK", "[::1]"), ("NETWORK", "::"), ("NETWORK", "fe80::1")]),
        ("1:2:3:4:5:6:7:8", [("NETWORK", "1:2:3:4:5:6:7:8")]),
        (
            "udp:1.2.3.4:5060",
            [("WORD", "udp"), (":", ":"), ("NETWORK", "1.2.3.4"), (":", ":"), ("NUMBER", "5060")],
        ),
        ("fade:cafe:5060", [("WORD", "fade"), (":", ":"), ("WORD", "cafe"), (":", ":"), ("NUMBER", "5060")]),
        ("a.b c-d.e", [("HOST", "a.b"), ("HOST", "c-d.e")]),
        ("sip.log.com port.example.com", [("HOST", "sip.log.com"), ("HOST", "port.example.com")]),
        (
            "3com.com 3com 1.2.3.4.nip.io",
            [("HOST", "3com.com"), ("HOST", "3com"), ("HOST", "1.2.3.4.nip.io")],
        ),
        ("msg:len", [("OPERAND", "msg:len")]),
        ("esac null add_rport", [("break", "esac"), ("NULL", "null"), ("WORD", "add_rport")]),
        (
            "and && or || not !",
            [("&&", "and"), ("&&", "&&"), ("||", "or"), ("||", "||"), ("!", "not"), ("!", "!")],
        ),
        ("$var(x)=~1", [("VARIABLE", "$var(x)"), ("COMPARE", "=~"), ("NUMBER", "1")]),
        ("$var(x)=-5", [("VARIABLE", "$var(x)"), ("=", "="), ("SIGN", "-"), ("NUMBER", "5")]),
        ("$var(a):=1", [("VARIABLE", "$var(a)"), ("ASSIGN", ":="), ("NUMBER", "1")]),
    ],
)
def test_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


def test_operators_are_matched_longest_first() -> None:
    written = (
        "= == != < > <= >= =~ !~ + - * / % & | ^ ~ := += -= *= /= %= &= |= ^= ! && || ( ) { } [ ] , ; : ."
    )
    assert texts(written) == written.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$hdr(Sender)!=NULL", ["$hdr(Sender)", "!=", "NULL"]),
        ("$hdr(Sender)!= NULL", ["$hdr(Sender)", "!=", "NULL"]),
        ("$(hdr(Via)[0])!=NULL", ["$(hdr(Via)[0])", "!=", "NULL"]),
        ("$hdr(Via)[0]", ["$hdr(Via)", "[", "0", "]"]),
        ("$ru{s.len}", ["$ru{s.len}"]),
        ("$ru{uri.user}{s.len};", ["$ru{uri.user}{s.len}", ";"]),
        ('$rm,"x")', ["$rm", ",", '"x"', ")"]),
        ("$var(x)+1", ["$var(x)", "+", "1"]),
        ("$var(a b) $var(a-b)", ["$var(a b)", "$var(a-b)"]),
        ("$var(log)", ["$var(log)"]),
        ("[$rc]", ["[", "$rc", "]"]),
        ("$rc{ a", ["$rc", "{", "a"]),
        ("$ruri.user==1", ["$ruri.user", "==", "1"]),
        ("$?", ["$?"]),
        ("$rU$rd", ["$rU$rd"]),
        ("$(avp(s:x){s.substr,0,1})", ["$(avp(s:x){s.substr,0,1})"]),
    ],
)
def test_variables(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "fragment"),
    [
        ('a "b\nc', (1, 3), "unexpected EOF in unclosed string"),
        ("a 'b", (1, 3), "unexpected EOF in unclosed string"),
        ("a\n /* b /* c */", (2, 2), "unexpected EOF: the comment that begins here"),
        ("a $ b", (1, 3), "a name is missing"),
        ("a $var(b = 1;\n)", (1, 3), "never closed"),
        ("a 1.2.3.400", (1, 3), "invalid IPv4 address 1.2.3.400"),
        ("1.2.3.4/33", (1, 1), "invalid number of bits in netmask 33"),
        ("1.2.3.4/::", (1, 1), "invalid netmask ::"),
        ("1.2.3.4/1.2.3.400", (1, 1), "invalid netmask"),
    ],
)
def test_errors(text: str, place: tuple[int, int], fragment: str) -> None:
    _, found = tokenize(SourceText(text, "t.cfg"))
    assert [(d.position.line, d.position.column) for d in found] == [place]
    assert found[0].severity is Severity.ERROR
    assert fragment in found[0].message


def test_the_end_tells_whether_a_string_was_cut() -> None:
    assert tokenize(SourceText("a 'b c", "t.cfg"))[0][-1].text == "'b c"
    assert tokenize(SourceText("a 'b c'", "t.cfg"))[0][-1].text == ""


@pytest.mark.parametrize("text", ["@ exit;", "exit ?;", "`exit;", "exit \\ ;", "é exit;"])
def test_other_characters_are_skipped_with_a_warning(text: str) -> None:
    tokens, found = tokenize(SourceText(text, "t.cfg"))
    assert [token.text for token in tokens[:-1]] == ["exit", ";"]
    assert [d.severity for d in found] == [Severity.WARNING]


@pytest.mark.parametrize(("character", "told"), [("?", "character '?'"), ("\udcff", "byte 0xff")])
def test_what_was_skipped_is_shown(character: str, told: str) -> None:
    _, (found,) = tokenize(SourceText(character, "t.cfg"))
    assert found.message.startswith(f"the {told} means nothing")


def test_positions() -> None:
    tokens, _ = tokenize(SourceText('a\n  "b\nc" d', "t.cfg"))
    places = [(p.line, p.column, p.end_line, p.end_column) for p in (token.position for token in tokens)]
    assert places == [(1, 1, 1, 2), (2, 3, 3, 3), (3, 4, 3, 5), (3, 5, 3, 5)]
    assert tokens[0].position.file == "t.cfg"
    assert repr(tokens[0]) == "Token('WORD', 'a')"


def test_the_first_token_of_a_line() -> None:
    tokens, _ = tokenize(SourceText('a b\n c "d\ne" f', "t.cfg"))
    assert [begins_line(tokens, index) for index in range(6)] == [True, False, True, False, False, False]


@given(st.text(st.sampled_from("ab1.:-/[]$({})\"'#*\\ \n=é"), max_size=40))
def test_tokens_are_the_text_at_their_place(text: str) -> None:
    source = SourceText(text, "t.cfg")
    lines = text.split("\n")
    for token in tokenize(source)[0][:-1]:
        place = token.position
        if place.line == place.end_line and token.kind != "NETWORK":
            assert lines[place.line - 1][place.column - 1 : place.end_column - 1] == token.text


def test_a_part_of_a_file_has_its_place_in_the_file() -> None:
    whole = SourceText("aa bb\n cc dd", "t.cfg")
    part = SourceText("bb\n cc", "t.cfg", whole.position(3, 5))
    assert part.position(0, 2) == whole.position(3, 5)
    assert part.position(4, 6) == whole.position(7, 9)
    assert part.position(0, 6) == whole.position(3, 9)
    assert (whole.offset(2, 2), whole.offset(1, 4)) == (7, 3)


def test_the_first_token_of_another_file_begins_a_line() -> None:
    tokens = [*tokenize(SourceText("\n\na", "a.cfg"))[0][:-1], *tokenize(SourceText("b c", "b.cfg"))[0]]
    assert [begins_line(tokens, index) for index in range(3)] == [True, True, False]


def test_rubbish_is_not_told_without_end() -> None:
    assert len(tokenize(SourceText("` " * 5000, "t.cfg"))[1]) == 1000


def test_comments_come_only_where_they_are_asked_for() -> None:
    text = "a # b \r\n/* c /* d */ */ \x01 #!define\n#!define X 1\n/* open"
    found = [
        (token.kind, token.text, token.position.line)
        for token in scan(SourceText(text, ""), [], comments=True)
    ]
    assert found == [
        ("WORD", "a", 1),
        (COMMENT, "# b", 1),
        (COMMENT, "/* c /* d */ */", 2),
        (COMMENT, "\x01", 2),
        (COMMENT, "#!define", 2),
        (DIRECTIVE, "define X 1", 3),
        (END, "/* open", 4),
    ]
    assert [token.kind for token in scan(SourceText(text, ""), [])] == ["WORD", DIRECTIVE, END]

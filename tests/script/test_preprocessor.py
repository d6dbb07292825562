from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.script import preprocessor
from openpy.script.diagnostics import Diagnostic, ScriptError
from openpy.script.lexer import END, SourceText, tokenize
from openpy.script.preprocessor import Preprocessor, decode, read_nothing


def reader(files: dict[str, str]) -> Callable[[str], bytes]:
    """read(path) over these files."""

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path].encode()

    return read


def process(text: str, /, **files: str) -> tuple[list[str], list[Diagnostic], Preprocessor]:
    """The texts of the tokens of a script; the files are named with `_` for `.`."""
    found: list[Diagnostic] = []
    made = Preprocessor(found, reader({name.replace("_", "."): text for name, text in files.items()}))
    tokens = made.tokens(SourceText(text, "t.cfg"))
    assert tokens[-1].kind == END
    return [token.text for token in tokens[:-1]], found, made


def texts(text: str, /, **files: str) -> str:
    words, found, _ = process(text, **files)
    assert not found, found
    return " ".join(words)


def mistake(text: str, /, **files: str) -> tuple[str, str, int, int]:
    """Message, file, line and column of the only mistake."""
    _, (found,), _ = process(text, **files)
    return found.message, found.position.file, found.position.line, found.position.column


# --- defined names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#!define A 1\nf(A)", "f ( 1 )"),
        ("f(A)\n#!define A 1\nf(A)", "f ( A ) f ( 1 )"),
        ("#!define A setflag(1); exit\nA;", "setflag ( 1 ) ; exit ;"),
        ('#!define A "x" # why\nA', '"x"'),
        ("#!define A 1 \\\n + 2\nA", "1 + 2"),
        ("#!define A\\\n1\nA", "1"),
        ("#!define A\nA", "A"),
        ("#!define A B\n#!define B 2\nA", "2"),
        ("#!define A A B\n#!define B A\nA", "A A"),
        ("#!define A 1\n#!trydef A 2\nA", "1"),
        ("#!trydef A 2\nA", "2"),
        ("#!define A 1\n#!redefine A 2\nA", "2"),
        ("#!define A 1\n\"A\" $var(A) A.b AA 'A'", "\"A\" $var(A) A.b AA 'A'"),
        ("#!define if 1\nif", "if"),
        ("#!define A udp:10.0.0.1:5060\nlisten=A", "listen = udp : 10.0.0.1 : 5060"),
        ("#!define A 1\r\nA", "1"),
        ("  #!define A 1\nA", "1"),
    ],
)
def test_define(text: str, expected: str) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('#!subst "/x/y/"\n"axbx" x', '"aybx" x'),
        ('#!subst "/x/y/g"\n"axbx" \'x\'', '"ayby" "y"'),
        ('#!subst "/X/y/i"\n"x"', '"y"'),
        ('#!subst "!a(b)!\\\\1c!"\n"ab"', '"bc"'),
        ('#!subst "/x/a\\"b/"\n"x\\n"', '"a\\"b\\n"'),
        ('#!substdef "!DB!sqlite:///x!g"\nDB "DB"', 'sqlite : / / / x "sqlite:///x"'),
        ('#!substdefs "!DB!x!g"\nDB "DB"', '"x" "x"'),
        ('#!substdef "/P/q/g"\n$var(P) P.example.com', "$var(q) q.example.com"),
        ('#!substdef "/P/q/g"\n#!define A "P"\nA', '"q"'),
        ("#!subst /x/y/\n'x'", '"y"'),
    ],
)
def test_substitute(text: str, expected: str) -> None:
    assert texts(text) == expected


def test_what_stands_for_a_name_has_the_place_of_the_name() -> None:
    found: list[Diagnostic] = []
    text = "#!define AB 1 + 2\n\n  f(AB)\n c"
    tokens = Preprocessor(found).tokens(SourceText(text, "t.cfg"))
    places = [(t.text, t.position.line, t.position.column, t.position.end_column) for t in tokens[:-1]]
    assert places == [
        ("f", 3, 3, 4),
        ("(", 3, 4, 5),
        *((piece, 3, 5, 7) for piece in "1+2"),
        (")", 3, 7, 8),
        ("c", 4, 2, 3),
    ]
    assert [t.position.piece for t in tokens[2:5]] == [0, 1, 2]


def test_a_mistake_in_a_value_has_its_place_in_the_value() -> None:
    assert mistake("#!define A  1 'x\nA")[1:] == ("t.cfg", 1, 15)
    assert mistake("#!define A  1 \\\n 'x\nA")[1:] == ("t.cfg", 2, 2)


@pytest.mark.parametrize(
    ("text", "fragment", "line"),
    [
        ("#!define", "needs a name", 1),
        ("#!define 1a 2", "needs a name", 1),
        ("#!define a-b 2", "a-b is no name", 1),
        ("#!define A 1\n#!define A 1", "A is defined already", 2),
        ("\n#!define OPENPY", "OPENPY is defined already", 2),
        ('#!subst "x"', "no substitution", 1),
        ('#!subst "/(/y/"', "bad regular expression", 1),
        ('#!subst "/x/y/q"', '"q" is no flag', 1),
        ('#!substdef "/a b/c/"', "needs a name", 1),
        ("#!ifexp A == 1\n#!endif", "#!ifexp is not supported", 1),
        ("#!defenv A", "#!defenv is not supported", 1),
        ("a\n#!else", "#!else without #!ifdef", 2),
        ("#!endif", "#!endif without #!ifdef", 1),
        ("#!ifdef A\n#!else\n#!else\n#!endif", "#!else without #!ifdef", 3),
        ("#!ifdef OPENPY\n#!else\n#!else\n#!endif", "", 0),
        ("\n#!ifdef A\nb", "this has no #!endif", 2),
        ("#!ifndef A\nb", "this has no #!endif", 1),
        ("#!ifdef\n#!endif", "#!ifdef needs a name", 1),
    ],
)
def test_directives_that_are_wrong(text: str, fragment: str, line: int) -> None:
    _, found, _ = process(text)
    assert [d.position.line for d in found] == ([line] if fragment else [])
    assert all(fragment in d.message for d in found)


def test_a_name_from_outside() -> None:
    made = Preprocessor([])
    made.define("A", "1")
    made.define("B", "")
    tokens = made.tokens(SourceText("A B\n#!ifdef B\nc\n#!endif", "t.cfg"))
    assert [token.text for token in tokens[:-1]] == ["1", "B", "c"]
    with pytest.raises(ValueError, match="is no name"):
        made.define("1", "")


# --- conditions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n#!ifdef A\nb\n#!endif\nc", "a c"),
        ("a\n#!ifndef A\nb\n#!endif\nc", "a b c"),
        ("#!define A\n#!ifdef A\nb\n#!else\nc\n#!endif\nd", "b d"),
        ("#!ifdef A\nb\n#!else\nc\n#!endif\nd", "c d"),
        ("#!ifdef A\n#!ifdef B\nb\n#!else\nc\n#!endif\nd\n#!else\ne\n#!endif", "e"),
        ("#!define A\n#!ifdef A\n#!ifdef B\nb\n#!else\nc\n#!endif\nd\n#!else\ne\n#!endif", "c d"),
        ("#!ifdef A\n' /* \" \n#!endif\nb", "b"),
        ("#!ifdef A\n#!define B 1\n#!endif\nB", "B"),
        ("#!ifdef OPENPY\na\n#!endif", "a"),
        ("#!ifdef A # why\nb\n#!endif", ""),
        ("x #!ifdef A\nb", "x b"),
        ('"\n#!ifdef A\n"', '"\n#!ifdef A\n"'),
        ("/*\n#!ifdef A\n*/ b", "b"),
    ],
)
def test_conditions(text: str, expected: str) -> None:
    assert texts(text) == expected


# --- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a include_file "b.cfg" d', "a b c d"),
        ('a\n#!include_file "b.cfg"\nd', "a b c d"),
        ("a\n#!include_file b.cfg\nd", "a b c d"),
        ("a\n#!import_file 'b.cfg'\nd", "a b c d"),
        ('a import_file "none.cfg" d', "a d"),
        ('#!define FILE "b.cfg"\ninclude_file FILE', "b c"),
        ('include_file "b.cfg" include_file "b.cfg"', "b c b c"),
        ('include_file ("b.cfg")', 'include_file ( "b.cfg" )'),
        ('include_file include_file "b.cfg"', "include_file b c"),
        ("import_file", "import_file"),
        ('#!define b x\ninclude_file "b.cfg" b', "x c x"),
        ('include_file "d.cfg" e', "1"),
    ],
)
def test_include(text: str, expected: str) -> None:
    assert texts(text, b_cfg="b\nc", d_cfg="#!define e 1\n") == expected


def test_files_are_looked_up_beside_the_one_that_includes() -> None:
    files = {"conf/a/b.cfg": 'include_file "c.cfg" include_file "/d.cfg"', "conf/a/c.cfg": "c", "/d.cfg": "d"}
    made = Preprocessor([], reader(files))
    tokens = made.tokens(SourceText('include_file "a/b.cfg" e', "conf/t.cfg"))
    assert [(token.text, token.position.file) for token in tokens] == [
        ("c", "conf/a/c.cfg"),
        ("d", "/d.cfg"),
        ("e", "conf/t.cfg"),
        ("", "conf/t.cfg"),
    ]
    assert list(made.sources) == ["conf/t.cfg", "conf/a/b.cfg", "conf/a/c.cfg", "/d.cfg"]


def test_files_that_cannot_be_included() -> None:
    assert mistake('a\n include_file "no.cfg"')[0] == "there is no file no.cfg"
    assert mistake('a\n include_file "no.cfg"')[1:] == ("t.cfg", 2, 15)
    assert mistake('include_file "b.cfg"', b_cfg='x include_file "c.cfg"')[1:] == ("b.cfg", 1, 16)
    message = mistake('include_file "b.cfg"', b_cfg='include_file "t.cfg"')
    assert message == ("t.cfg includes itself", "b.cfg", 1, 14)

    def broken(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    found: list[Diagnostic] = []
    Preprocessor(found, broken).tokens(SourceText('import_file "x"', "t.cfg"))
    assert [d.message for d in found] == ["x cannot be read: Permission denied"]
    with pytest.raises(FileNotFoundError):
        read_nothing("x")


def test_what_is_never_closed_in_a_file_ends_everything() -> None:
    words, found, _ = process('a include_file "b.cfg" c', b_cfg="b 'x")
    assert words == ["a", "b"]
    assert [d.position.file for d in found] == ["b.cfg"]


def test_a_condition_ends_in_its_file() -> None:
    _, found, _ = process('include_file "b.cfg" c\n#!endif', b_cfg="#!ifdef A\nx")
    assert [(d.position.file, d.message) for d in found] == [
        ("b.cfg", "this has no #!endif"),
        ("t.cfg", "#!endif without #!ifdef"),
    ]


# --- bounds ---------------------------------------------------------------------------------------------------


def test_depth_is_bounded() -> None:
    files = {f"{n}.cfg": f'a include_file "{n + 1}.cfg"' for n in range(20)}
    found: list[Diagnostic] = []
    tokens = Preprocessor(found, reader(files)).tokens(SourceText('include_file "0.cfg"', "t.cfg"))
    assert len(tokens) == preprocessor.MAX_DEPTH + 1
    assert ["levels deep" in d.message for d in found] == [True]


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    laughs = "".join(f"#!define L{n} {f'L{n + 1} ' * 10}\n" for n in range(9)) + "L0"
    with pytest.raises(ScriptError, match="too large together"):
        process(laughs)
    monkeypatch.setattr(preprocessor, "MAX_CHARACTERS", 50)
    assert process('include_file "b.cfg"', b_cfg="x" * 30)
    with pytest.raises(ScriptError, match="more than 50 characters"):
        process('include_file "b.cfg" include_file "b.cfg"', b_cfg="x" * 6)
    with pytest.raises(ScriptError, match="more than 50 characters"):
        process("x" * 51)
    monkeypatch.setattr(preprocessor, "MAX_FILES", 2)
    with pytest.raises(ScriptError, match="more than 2 files"):
        process('include_file "b.cfg" include_file "c.cfg"', b_cfg="x", c_cfg="x")


def test_what_is_left_out_is_known() -> None:
    text = "a\n#!ifdef A\nb\n#!ifdef B\n#!endif\n#!else\nc\n#!endif\n#!ifdef OPENPY\nd\n#!else\ne\n#!endif"
    _, found, made = process(text)
    assert not found
    assert [(place.line, place.column, place.end_line, place.end_column) for place in made.left_out] == [
        (2, 10, 6, 1),
        (11, 7, 13, 1),
    ]


def test_a_plain_script_is_not_touched() -> None:
    text = "# include\nroute { exit; } /* x */"
    assert [repr(t) for t in Preprocessor([]).tokens(SourceText(text, "t"))] == [
        repr(t) for t in tokenize(SourceText(text, "t"))[0]
    ]
    assert decode(b"a\xff") == "a\udcff"


PIECES = st.sampled_from(
    [
        *(
            "#!define A ",
            "#!define ",
            "A",
            "B",
            "1",
            "#!ifdef A",
            "#!ifndef B",
            "#!else",
            "#!endif",
            "\n",
            " ",
            "\\",
        ),
        *(
            '#!subst "/A/B/g"',
            '#!substdef "/B/A A/"',
            'include_file "t.cfg"',
            'include_file "x"',
            '"',
            "'",
            "/*",
        ),
        *("#!include_file x", "#!redefine B A", "@a", "$", "(", "\0", "\udcff"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join), st.lists(PIECES, max_size=15).map("".join))
def test_whatever_is_written_gives_tokens_and_diagnostics(text: str, other: str) -> None:
    found: list[Diagnostic] = []
    data = other.encode("utf-8", "surrogateescape")
    try:
        tokens = Preprocessor(found, lambda path: data).tokens(SourceText(text, "t.cfg"))
    except ScriptError:
        return
    assert tokens[-1].kind == END
    assert all(token.position.line >= 1 and token.position.column >= 1 for token in tokens)


def test_the_number_of_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocessor, "MAX_TOKENS", 10)
    assert process("x " * 9)
    with pytest.raises(ScriptError, match="more than 10 words and signs"):
        process("x " * 10)
    with pytest.raises(ScriptError, match="more than 10 words and signs"):
        process('include_file "b.cfg" include_file "b.cfg"', b_cfg="x " * 6)

"""Scripts in one layout: `openpy fmt`, and the formatting of the language server.

Rules:
1. Only white space changes: tokens, comments and lines for the preprocessor stay as they are and in their order. A
   comment between a statement and its `;` or `{` goes behind that. The result is checked for it.
2. What does not parse is not formatted.
3. What `#!ifdef` leaves out is laid out like the rest if it parses by itself, else it stays as it is.
4. Formatting what is formatted changes nothing.

`layout` says what the layout is.
"""

from __future__ import annotations

from collections.abc import Iterator

from openpy.script.diagnostics import ScriptError, error
from openpy.script.layout import Layout
from openpy.script.lexer import COMMENT, DIRECTIVE, END, SourceText, scan
from openpy.script.parser import Definitions, parse
from openpy.script.preprocessor import Read, read_nothing
from openpy.script.rules.text import UNEXPECTED
from openpy.script.structure import VERBATIM, Piece
from openpy.script.syntax import Position
from openpy.script.traversal import too_deep

MAX_NESTING = 10
"""`#!ifdef` within `#!ifdef`; what is left out deeper stays as it is."""

_DEFINING = frozenset(("define", "redefine", "trydef"))


def format_script(text: str, file: str, read: Read = read_nothing, definitions: Definitions = ()) -> str:
    """The script in the one layout; raises ScriptError where it cannot be parsed.

    `read` and `definitions` are the parser's: a script that includes others only parses with them.
    """
    definitions = tuple(definitions)
    parsed = parse(text, file, read, definitions)
    if deep := too_deep(parsed.script.statements):
        raise ScriptError(deep[:1])
    cutter = _Cutter(file, read, definitions)
    pieces = list(cutter.pieces(text, parsed.left_out))
    formatted = Layout("\r\n" if _ends_with_return(text) else "\n").text(pieces)
    try:  # to read it all again would only tell what is left out
        left_out = parsed.left_out and parse(formatted, file, read, definitions).left_out
    except ScriptError:
        left_out = ()
    found = list(cutter.pieces(formatted, left_out))
    if _tokens(pieces) != _tokens(found) or _comments(pieces) != _comments(found):
        where = SourceText(text, file).position(0, 0)
        raise ScriptError([error(UNEXPECTED, where, "this script has no other layout that means the same")])
    return formatted


def _tokens(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in pieces if piece.kind != COMMENT]


def _comments(pieces: list[Piece]) -> list[str]:
    return [piece.text.replace("# !", "#!", 1) for piece in pieces if piece.kind == COMMENT]


def _ends_with_return(text: str) -> bool:
    """Whether the lines of a script end as those of other systems do."""
    end = text.find("\n")
    return end > 0 and text[end - 1] == "\r"


class _Cutter:
    """Cuts the text of one file into pieces."""

    def __init__(self, file: str, read: Read, definitions: Definitions) -> None:
        self._file = file
        self._read = read
        self._definitions = dict(definitions)
        self._line = 0  # where the last piece ended

    def pieces(self, text: str, left_out: tuple[Position, ...]) -> Iterator[Piece]:
        """The tokens, comments and directives of a file, without what it includes."""
        self._line = 0
        return self._cut(SourceText(text, self._file), left_out, 0)

    def _cut(self, source: SourceText, left_out: tuple[Position, ...], depth: int) -> Iterator[Piece]:
        at = 0
        for place in left_out:
            if place.file == self._file:
                start = source.offset(place.line, place.column)
                yield from self._tokens(source, at, start)
                at = source.offset(place.end_line, place.end_column)
                yield from self._fragment(source, start, at, depth + 1)
        yield from self._tokens(source, at, len(source.text))

    def _tokens(self, source: SourceText, start: int, end: int) -> Iterator[Piece]:
        part = SourceText(source.text[start:end], self._file, source.position(start, start))
        for token in scan(part, [], comments=True):
            if token.kind == END:
                break
            text = token.text
            if token.kind == DIRECTIVE:
                text = f"#!{text}"
                self._define(token.text)
            yield Piece(token.kind, text, token.position.line - self._line)
            self._line = token.position.end_line

    def _fragment(self, source: SourceText, start: int, end: int, depth: int) -> Iterator[Piece]:
        """What is left out: whole statements, or text that nobody knows."""
        text = source.text[start:end]
        if not text.strip():
            return
        for before, behind in (("", ""), ("route {", "\n}")):
            try:
                if depth > MAX_NESTING:
                    break
                parsed = parse(f"{before}{text}{behind}", self._file, self._read, self._definitions.items())
            except ScriptError:
                continue
            first = source.position(start, start)
            begin = Position(self._file, first.line, 1, first.line, 1)
            left_out = tuple(_moved(place, first.line - 1) for place in parsed.left_out)
            yield from self._cut(SourceText(text, self._file, begin), left_out, depth)
            return
        yield Piece(VERBATIM, text.strip("\r\n"), 1)
        self._line = source.position(end, end).line - 1

    def _define(self, directive: str) -> None:
        word, _, rest = directive.partition(" ")
        name, _, value = rest.strip().partition(" ")
        if word in _DEFINING and name.isidentifier():
            self._definitions[name] = value


def _moved(place: Position, lines: int) -> Position:
    return Position(place.file, place.line + lines, place.column, place.end_line + lines, place.end_column)

"""The layout of scripts: tokens and comments with the white space that belongs between them.

Rules:
1. A statement, a case, an `else` and a closing brace have a line of their own; `{` ends the line that it belongs to,
   `else` follows its `}` on the same line, `if` its `else`.
2. A line is indented by one tab for each block that it is in, the statements of a case by one more. A statement
   without braces behind `if`, `while` or `else` has a line of its own, one tab deeper.
3. Line breaks within parentheses, beside operators and in lists of sockets stay; what follows one is indented by one
   tab more, in a condition by two, so that it does not look like the body.
4. Operators have a space on both sides, but for `=` outside of routes, and a comparison behind `!`, which belongs
   closer together: `!uri==myself`.
5. Blank lines stay: at most one in a block, two outside; none at the beginning or end of a block.
6. A line for the preprocessor begins at the left edge. Each branch of an `#!ifdef` begins where the `#!ifdef` did.
7. A comment keeps its line: it stays behind what it stood behind, or alone.

`structure` says what stands before a token, this file where comments and lines for the preprocessor go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from openpy.script.lexer import COMMENT, DIRECTIVE
from openpy.script.structure import NOTHING, VERBATIM, Gap, Piece, State, Structure
from openpy.script.traversal import MAX_DEPTH


class _Branches(NamedTuple):
    """Where the branches of an `#!ifdef` begin, and where the one that is known ends."""

    begin: State
    end: State


class Layout:
    """Lays out the pieces of one script."""

    def __init__(self, newline: str) -> None:
        self._newline = newline
        self._parts: list[str] = []
        self._written = NOTHING  # the last piece
        self._conditions: list[_Branches] = []  # those of each open `#!ifdef`
        self._structure = Structure()

    def text(self, pieces: Iterable[Piece]) -> str:
        """The whole script."""
        groups = list(_grouped(pieces))
        for (comments, piece), (_, after) in pairwise(groups):
            if piece.kind in (DIRECTIVE, VERBATIM):
                self._put_comments(comments, self._structure.before_line())
                self._put_line(piece)
            else:
                line_ended = _end_line(comments, piece) or _ends_line(self._written)
                self._put(comments, piece, self._structure.gap(piece, after, line_ended))
        self._put_comments(groups[-1][0], self._structure.indent)
        return "".join(self._parts) + (self._newline if self._parts else "")

    # --- writing ------------------------------------------------------------------------------------------

    def _put(self, comments: list[Piece], piece: Piece, gap: Gap) -> None:
        """Write a token and the comments before it."""
        indent = self._structure.continuation() if gap.indent is None else gap.indent
        if gap.joins and _end_line(comments, piece) and (piece.kind == "{" or not _begin_line(comments)):
            self._put_token(piece, gap.text, indent)
            self._put_comments(comments, self._structure.indent - gap.opens_switch)
            return
        self._put_comments(comments, indent + gap.closes)
        begins = gap.indent is not None and (gap.closes or not _share_line(comments, piece))
        if begins or (comments and piece.breaks):
            self._break(1 if gap.closes else piece.breaks, indent)
            self._write(piece)
        else:
            self._put_token(piece, gap.text, indent)

    def _put_token(self, piece: Piece, gap: str, indent: int) -> None:
        """Write a token on the same line, unless that is over."""
        if _ends_line(self._written):
            self._break(1, indent)
            gap = ""
        self._write(piece, " " if self._written.kind == COMMENT else gap)

    def _put_comments(self, comments: list[Piece], indent: int) -> None:
        for comment in comments:
            text = comment.text
            if not comment.breaks and not _ends_line(self._written):
                self._write(comment, " ")
                continue
            self._break(comment.breaks, indent)
            if not comment.breaks and text.startswith("#!"):
                text = f"# {text[1:]}"  # the first of its line now, and still no directive
            self._write(Piece(COMMENT, text, 0))

    def _put_line(self, piece: Piece) -> None:
        """Write a line for the preprocessor, or what it leaves out."""
        self._break(piece.breaks, 0, inside=not self._structure.is_outside)
        self._write(piece)
        word = piece.text.split(None, 1)[0] if piece.kind == DIRECTIVE else ""
        state = self._structure.state
        if word in ("#!ifdef", "#!ifndef", "#!ifexp"):
            self._conditions.append(_Branches(state, state))
        elif word == "#!endif" and self._conditions:
            self._conditions.pop()
        elif word == "#!else" and self._conditions:
            self._conditions[-1] = self._conditions[-1]._replace(end=state)
            self._structure.state = self._conditions[-1].begin
        elif piece.kind == VERBATIM and self._conditions:
            self._structure.state = self._conditions[-1].end

    def _break(self, breaks: int, indent: int, *, inside: bool = False) -> None:
        """Begin a line, behind blank ones if the script has some; `inside` of a block, fewer."""
        if self._parts:
            most = 2 if indent or inside else 3
            lines = 1 if self._written.kind == "{" else max(1, min(breaks, most))
            self._parts.append(self._newline * lines + "\t" * min(indent, MAX_DEPTH))

    def _write(self, piece: Piece, gap: str = "") -> None:
        self._parts.append(gap + piece.text)
        self._written = piece


def _grouped(pieces: Iterable[Piece]) -> Iterator[tuple[list[Piece], Piece]]:
    """Each token and directive with the comments before it, and the end with the last ones."""
    comments: list[Piece] = []
    for piece in pieces:
        if piece.kind == COMMENT:
            comments.append(piece)
        else:
            yield comments, piece
            comments = []
    yield comments, NOTHING


def _ends_line(piece: Piece) -> bool:
    """Whether nothing may follow a piece on its line."""
    return piece.kind in (DIRECTIVE, VERBATIM) or (piece.kind == COMMENT and piece.text.startswith("#"))


def _end_line(comments: list[Piece], piece: Piece) -> bool:
    """Whether a line ends at comments, or before the token behind them."""
    return bool(comments) and (piece.breaks > 0 or _begin_line(comments))


def _share_line(comments: list[Piece], piece: Piece) -> bool:
    """Whether a comment begins a line that the token behind it goes on with."""
    return piece.breaks == 0 and _begin_line(comments)


def _begin_line(comments: list[Piece]) -> bool:
    """Whether one of these comments has a line of its own."""
    return any(comment.breaks for comment in comments)

"""What each token of a script stands in, and so what stands before it: nothing, a space, or a line break.

Rules:
1. Tokens come one after the other, and nobody looks further than to the next one.
2. What decides is only the kinds of tokens and whether a line ends between two of them: that is what makes formatting
   a second time change nothing.
3. Nothing is refused: a token that cannot stand where it does gets a place all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from openpy.script.lexer import END
from openpy.script.preprocessor import INCLUDES


@dataclass(slots=True)
class Piece:
    """A token, comment or directive; `breaks` counts the line breaks before it. VERBATIM is text that is no script."""

    kind: str
    text: str
    breaks: int


VERBATIM = "$VERBATIM"

_OPERATORS = frozenset(("&&", "||", "COMPARE", "ASSIGN", "SIGN", "TIMES", "BITWISE", "="))
_VALUES = frozenset(
    ("WORD", "HOST", "NETWORK", "STRING", "NUMBER", "VARIABLE", "OPERAND", "myself", "NULL", ")", "]")
)
_CALLABLE = frozenset(("WORD", "HOST", "ROUTE", "exit", "drop", "return", "modparam"))
_INDEXED = frozenset(("ROUTE", "SPECIAL_ROUTE", "TLS_DOMAIN"))
_ITEMS = frozenset(("loadmodule", "modparam", "dst_blacklist", "SPECIAL_ROUTE", "TLS_DOMAIN", "exit"))
_HEADS = frozenset(("if", "while", "switch"))
_WORD_EDGES = re.compile(r"\w\w")
_PATHS = frozenset(("mpath", "loadpath", *INCLUDES))


class Level(Enum):
    """What a token can stand in."""

    TOP = auto()
    SETTINGS = auto()  # of a TLS domain
    BLOCK = auto()
    INNER_BLOCK = auto()  # within a condition
    SWITCH = auto()
    GROUP = auto()  # parentheses and brackets, the braces of a blacklist
    HEAD = auto()  # `if`, `while` or `switch` and its condition, which wants a value
    HEAD_READ = auto()  # the same behind a value: an operator may follow, or the body
    BODY = auto()  # what follows the condition
    ELSE = auto()  # what follows `else`
    PERHAPS_ELSE = auto()  # behind the body of an `if`


class Frame(NamedTuple):
    """One level; `indent` is that of the statements in it, `word` what began it."""

    level: Level
    indent: int
    word: str = ""
    outer: Frame | None = None


_BRACED = frozenset((Level.BLOCK, Level.INNER_BLOCK, Level.SWITCH, Level.SETTINGS))
_OVER = frozenset((Level.HEAD, Level.HEAD_READ, Level.BODY, Level.ELSE, Level.PERHAPS_ELSE))
"""What ends with the statement in it."""


class Gap(NamedTuple):
    """What stands before a token: `text`, or a line break, behind which it has an `indent`."""

    text: str = ""
    indent: int | None = None
    joins: bool = False  # it stays beside what it belongs to: comments between them go behind it
    closes: int = 0  # a block: comments before it are indented by so much more
    opens_switch: bool = False  # comments behind it are indented by one less, as the first case


class State(NamedTuple):
    """Where in the script one is."""

    frame: Frame
    at_start: bool  # of a statement
    first: Piece  # token of the statement
    before: Piece  # the last token


_TIGHT, _SPACE = Gap(), Gap(" ")
NOTHING = Piece(END, "", 1)


class Structure:
    """Follows the tokens of one script."""

    def __init__(self) -> None:
        self._frame: Frame = Frame(Level.TOP, 0)
        self._at_start = True  # of a statement
        self._first = NOTHING  # token of the statement
        self._second, self._before = NOTHING, NOTHING  # the last token but one, and the last
        self._is_signed = False  # the last sign is that of a number
        self._is_close = False  # the last comparison is behind a `!`

    @property
    def indent(self) -> int:
        """The indentation of the next statement."""
        return self._frame.indent

    @property
    def is_outside(self) -> bool:
        """Whether one is outside of all braces."""
        return self._frame.level is Level.TOP

    @property
    def state(self) -> State:
        """Where one is, to come back to."""
        return State(self._frame, self._at_start, self._first, self._before)

    @state.setter
    def state(self, state: State) -> None:
        self._frame, self._at_start, self._first, self._before = state

    def continuation(self) -> int:
        """The indentation of a line within a statement."""
        base = self._base()
        if self._at_start:
            return base.indent
        return base.indent + (2 if base.level in (Level.HEAD, Level.HEAD_READ) else 1)

    def before_line(self) -> int:
        """The indentation of comments before a line for the preprocessor: they are not about what may be over."""
        return self.indent if self._may_be_over() else self.continuation()

    def gap(self, piece: Piece, after: Piece, line_ended: bool) -> Gap:
        """What stands before a token; `line_ended`: comments before it end a line."""
        gap = self._gap(piece, after, line_ended)
        self._second, self._before = self._before, piece
        return gap

    def _gap(self, piece: Piece, after: Piece, line_ended: bool) -> Gap:
        level = self._frame.level
        if level is Level.GROUP and not (piece.kind == "}" and self._frame.word != "{"):
            return self._in_group(piece)
        if level in (Level.HEAD, Level.HEAD_READ):
            if self._continues_head(piece):
                return self._in_head(piece)
            self._frame = self._frame._replace(level=Level.BODY, indent=self._frame.indent + 1)
            self._at_start = True
        if piece.kind == "}":
            return self._close()
        if self._at_start or piece.kind in _HEADS or self._begins_statement(piece, after):
            return self._start(piece, after, line_ended)
        return self._further(piece)

    def _begins_statement(self, piece: Piece, after: Piece) -> bool:
        """Whether a statement begins although the one before it has no end of its own."""
        if not self._may_be_over():
            return False
        if self._is_top():
            is_list = self._first.kind == "SOCKETS" or piece.kind in _OPERATORS or piece.kind in "([{;:,"
            return _begins_item(piece, after) or (piece.breaks > 0 and not is_list)
        return piece.breaks > 0 and piece.kind not in _OPERATORS and piece.kind not in "([{;:,"

    def _may_be_over(self) -> bool:
        """Whether the statement can end with the last token although that is no end of its own."""
        before = self._before
        if self._is_top():
            return before.kind not in ("=", ":", ",", "loadmodule") and before.text not in _PATHS
        # a word alone on its line is the name of a statement that is defined elsewhere
        return before is self._first and before.kind == "WORD"

    def _start(self, piece: Piece, after: Piece, line_ended: bool) -> Gap:
        """The first token of a statement."""
        while self._frame.level is Level.PERHAPS_ELSE:
            if piece.kind == "else":
                indent = self._frame.indent
                self._frame = self._frame._replace(level=Level.ELSE, indent=indent + 1)
                return _SPACE if self._before.kind == "}" and not line_ended else Gap(indent=indent)
            self._end_statement()
        frame, before, kind = self._frame, self._before.kind, piece.kind
        indent = frame.indent
        is_body = frame.level in (Level.BODY, Level.ELSE)
        self._first, self._at_start = piece, False
        if kind == ";":
            self._end_statement()
            is_beside = not is_body and before in (";", "}", "STRING") and not line_ended
            return _TIGHT if is_beside else Gap(indent=indent)
        if kind == "{":
            inner = Level.SWITCH if frame.word == "switch" and is_body else Level.BLOCK
            is_switch = inner is Level.SWITCH
            self._open(inner, indent + is_switch if is_body else indent + 1)
            return Gap(" ", joins=True, opens_switch=is_switch) if is_body else Gap(indent=indent)
        if kind in _HEADS:
            follows = frame.level is Level.ELSE and kind == "if" and not line_ended
            self._frame = Frame(Level.HEAD, indent - follows, kind, frame)
            return _SPACE if follows else Gap(indent=indent)
        if kind in ("case", "default") and frame.level is Level.SWITCH:
            return Gap(indent=indent - 1)
        return Gap(indent=indent)

    def _further(self, piece: Piece) -> Gap:
        """A token within a statement that is no head."""
        kind = piece.kind
        if kind == ";":
            self._end_statement()
            return Gap(joins=True)
        if kind == ":" and self._first.kind in ("case", "default"):
            self._at_start = True
            return _TIGHT
        if kind == "{" and self._first.kind == "dst_blacklist":
            return self._open_group(piece)
        if kind == "{":
            level = Level.SETTINGS if self._first.kind == "TLS_DOMAIN" else Level.BLOCK
            self._open(level, self._frame.indent + 1)
            return Gap(" ", joins=True)
        if kind in ("(", "["):
            return self._open_group(piece)
        if kind == "STRING" and self._first.text in INCLUDES and self._before is self._first:
            self._end_statement()
            return _SPACE
        return self._spaced(piece, keeps_breaks=self._first.kind == "SOCKETS")

    def _in_group(self, piece: Piece) -> Gap:
        if piece.kind in (")", "]", "}"):
            assert self._frame.outer is not None
            self._frame = self._frame.outer
            return _TIGHT
        if piece.kind == "{" and self._frame.word != "{":
            return self._open_inner(piece)
        if piece.kind in ("(", "[", "{"):
            return self._open_group(piece)
        return self._spaced(piece, keeps_breaks=self._before.kind not in "([{")

    # --- conditions -----------------------------------------------------------------------------------------

    def _continues_head(self, piece: Piece) -> bool:
        kind = piece.kind
        if self._frame.level is Level.HEAD:
            return kind not in (";", "}")
        return kind in _OPERATORS or (kind == "(" and self._before.kind in _CALLABLE)

    def _in_head(self, piece: Piece) -> Gap:
        kind = piece.kind
        wants_value = kind in _OPERATORS or kind in ("!", "~")
        self._frame = self._frame._replace(level=Level.HEAD if wants_value else Level.HEAD_READ)
        if kind == "{":
            return self._open_inner(piece)
        if kind in ("(", "["):
            return self._open_group(piece)
        return self._spaced(piece)

    def _open_inner(self, piece: Piece) -> Gap:
        gap = _TIGHT if self._before.kind in ("(", "!") else _SPACE
        self._open(Level.INNER_BLOCK, self._base().indent + 1)
        return gap

    # --- levels ---------------------------------------------------------------------------------------------

    def _open(self, level: Level, indent: int) -> None:
        self._frame = Frame(level, indent, outer=self._frame)
        self._at_start = True

    def _open_group(self, piece: Piece) -> Gap:
        gap = self._spaced(piece, keeps_breaks=self._frame.level is Level.GROUP)
        self._frame = Frame(Level.GROUP, self._frame.indent, piece.kind, self._frame)
        return gap

    def _close(self) -> Gap:
        """The brace that closes a block; one that closes none stays where it is."""
        frame = self._frame
        while frame.outer is not None and frame.level not in _BRACED:
            frame = frame.outer
        if frame.outer is None:
            self._frame, self._at_start = frame, True
            return Gap(indent=0, closes=1)
        self._frame = frame.outer
        if frame.level is Level.INNER_BLOCK:
            self._at_start = False
        else:
            self._end_statement()
        depth = 2 if frame.level is Level.SWITCH else 1
        return Gap(indent=frame.indent - depth, closes=depth)

    def _end_statement(self) -> None:
        """A statement ends, and with it those whose body it was; an `else` may follow an `if`."""
        self._at_start = True
        frame = self._frame
        while (outer := frame.outer) is not None and frame.level in _OVER:
            if frame.level is Level.BODY and frame.word == "if":
                self._frame = frame._replace(level=Level.PERHAPS_ELSE, indent=frame.indent - 1)
                return
            self._frame = frame = outer

    def _base(self) -> Frame:
        """The level whose statement this is."""
        frame = self._frame
        while frame.outer is not None and frame.level is Level.GROUP:
            frame = frame.outer
        return frame

    def _is_top(self) -> bool:
        return self._frame.level in (Level.TOP, Level.SETTINGS)

    # --- within a line --------------------------------------------------------------------------------------

    def _spaced(self, piece: Piece, *, keeps_breaks: bool = False) -> Gap:
        """A token within an expression, a list or a head."""
        kind, before = piece.kind, self._before
        is_signed = kind == "SIGN" and before.kind not in _VALUES
        beside_operator = (
            (kind in _OPERATORS and not is_signed) or before.kind in _OPERATORS or before.kind == ","
        )
        may_break = keeps_breaks or (
            beside_operator and not self._is_top() and not self._is_signed_by(before)
        )
        is_tight = self._is_tight(piece)
        if kind == "COMPARE":
            self._is_close = is_tight
        if kind == "SIGN":
            self._is_signed = is_signed
        if piece.breaks and may_break and kind not in (",", ":", "."):
            return Gap(indent=self.continuation())
        return _TIGHT if is_tight else _SPACE

    def _is_tight(self, piece: Piece) -> bool:
        kind, before = piece.kind, self._before
        if _WORD_EDGES.fullmatch(before.text[-1:] + piece.text[:1]) or before.text == "not":
            return False
        if kind in (",", ":", ".") or before.kind in ("(", "[", "{", "!", "~", ":", "."):
            return kind != "NETWORK" or before.kind != ":" or piece.text[0] != ":"
        if kind == "(":
            return before.kind in _CALLABLE or self._is_signed_by(before)
        if kind == "[":
            return before.kind in _INDEXED
        if "=" in (kind, before.kind) and self._is_top():
            return True
        if kind == "COMPARE":
            return self._second.kind == "!"
        if before.kind == "COMPARE":
            return self._is_close
        return self._is_signed_by(before)

    def _is_signed_by(self, before: Piece) -> bool:
        return before.kind == "SIGN" and self._is_signed


def _begins_item(piece: Piece, after: Piece) -> bool:
    """Whether a token outside of routes can only be the first of a statement."""
    match piece.kind:
        case "SOCKETS":
            return after.kind == "="
        case "ROUTE":
            return after.kind in ("{", "[")
        case "WORD":
            if piece.text == "flags" and after.kind == "WORD":
                return True
            return after.kind == "=" or (after.kind == "STRING" and piece.text in _PATHS)
    return piece.kind in _ITEMS

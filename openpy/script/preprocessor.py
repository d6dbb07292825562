"""Lines that begin with `#!`, defined names and included files (Kamailio's): tokens of a script to tokens to parse.

Rules:
1. A script without any of these gives the tokens that the lexer makes of it, untouched.
2. `#!define NAME value` replaces the bare word NAME from there on; its value may hold defined names. A name without
   a value is never replaced. `#!subst` works on strings, `#!substdef` is both.
3. What replaces a name has the place of the name; a token of an included file has its place in that file.
4. What `#!ifdef` leaves out is not looked at, but for the `#!` lines that end it. It ends in the file that begins it.
5. Names are looked up beside the file that includes. Depth, number and size of files, and of what names stand for,
   are bounded: a script that exceeds a bound is refused.
6. Nothing is opened here: `read(path)` gives the bytes of a file, or raises OSError.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from openpy.script.diagnostics import Diagnostic, ScriptError, error
from openpy.script.dialects import DIRECTIVES
from openpy.script.environment import Rest, rest_never
from openpy.script.lexer import DIRECTIVE, END, SourceText, Token, scan
from openpy.script.rules import files
from openpy.script.rules.rule import ErrorRule
from openpy.script.rules.statements import OTHER_DIALECT
from openpy.script.rules.text import TOO_MUCH
from openpy.script.strings import unquote
from openpy.script.substitutions import Substitution, read_substitution
from openpy.script.syntax import Position

Read = Callable[[str], bytes]
"""read(path) -> the bytes of a file; raises OSError."""

MAX_DEPTH = 10
"""Files within files."""
MAX_FILES = 1000
MAX_CHARACTERS = 2 * 1024 * 1024
MAX_TOKENS = 120_000
"""Of a script and all that it includes: some seconds of work, and 300 MiB."""
LONG_DATA = "what is that long is data: let avpops or a module of your own find it in a database"
MAX_REPLACED = 100_000
"""Tokens that stand for names, in one script."""

PREDEFINED = ("OPENPY",)
"""What is always defined, so that a script can tell whom it is read by."""

INCLUDES = ("include_file", "import_file")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONDITION = re.compile(r"^[ \t]*#!(ifn?def|ifexp|else|endif)\b[^\n]*", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n")
_REPLACEABLE = frozenset(("STRING", "VARIABLE", "HOST"))


def read_nothing(path: str) -> bytes:
    """Where there are no files."""
    raise FileNotFoundError(2, "no files can be read here", path)


def decode(data: bytes) -> str:
    """The text of a script: UTF-8, other bytes as surrogate escapes."""
    return data.decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class _Condition:
    """An `#!ifdef` that is not closed yet."""

    place: Position
    in_else: bool = False


@dataclass(slots=True)
class Preprocessor:
    """Reads one script.

    `found` collects what is wrong, `sources` the texts of all its files, `left_out` the lines that `#!ifdef` leaves
    out of them.
    """

    found: list[Diagnostic]
    read: Read = read_nothing
    rest: Rest = rest_never
    sources: dict[str, str] = field(default_factory=dict)
    left_out: list[Position] = field(default_factory=list)
    _names: dict[str, tuple[Token, ...]] = field(default_factory=lambda: dict.fromkeys(PREDEFINED, ()))
    _substitutions: list[Substitution] = field(default_factory=list)
    _replaced: int = 0
    _characters: int = 0

    def define(self, name: str, value: str) -> None:
        """Define a name from outside of the script; raises ValueError if it cannot be one."""
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name}" is no name')
        self._names[name] = self._tokens_of(SourceText(value, f"-A {name}"))

    def tokens(self, source: SourceText) -> list[Token]:
        """All tokens of a script. Raises ScriptError where it exceeds a bound."""
        self.sources[source.file] = source.text
        self._count(source.text, source.position(0, 0))
        defined = len(self._names) > len(PREDEFINED)
        if not defined and not any(mark in source.text for mark in ("#!", *INCLUDES)):
            return self._listed(scan(source, self.found))
        return self._listed(self._file(source, (source.file,)))

    def _listed(self, tokens: Iterable[Token]) -> list[Token]:
        found: list[Token] = []
        for token in tokens:
            self.rest()
            found.append(token)
            if len(found) > MAX_TOKENS:
                message = f"the script, with what it includes, has more than {MAX_TOKENS} words and signs"
                raise ScriptError([error(TOO_MUCH, token.position, message, LONG_DATA)])
        return found

    # --- files --------------------------------------------------------------------------------------------

    def _file(self, source: SourceText, chain: tuple[str, ...]) -> Iterator[Token]:
        """The tokens of a file with what it includes, END last. `chain` is how it came to be included."""
        include: Token | None = None
        for token in self._own(source):
            for piece in self._replacement(token):
                if piece.kind == DIRECTIVE:  # an include; `_own` keeps the others
                    word, path = _path_behind(piece)
                elif include is not None and piece.kind == "STRING":
                    word, path, include = include, piece, None
                else:
                    if include is not None:
                        yield include
                    include = None
                    if piece.kind == "WORD" and piece.text in INCLUDES:
                        include = piece
                    else:
                        yield piece
                    continue
                for inner in self._included(word, path, chain):
                    if inner.kind != END:
                        yield inner
                    elif (
                        inner.text
                    ):  # a string or comment that is never closed: nothing behind it can be told
                        yield inner
                        return

    def _included(self, word: Token, path: Token, chain: tuple[str, ...]) -> Iterator[Token]:
        """The tokens of an included file; none where it cannot be read, which is told."""
        name = posixpath.join(posixpath.dirname(chain[-1]), unquote(path.text))
        if name in chain:
            way = " -> ".join([*chain[chain.index(name) :], name])
            self._error(files.ENDLESS_INCLUDE, path.position, f"{name} includes itself", way)
        elif len(chain) > MAX_DEPTH:
            message = f"files are included more than {MAX_DEPTH} levels deep"
            self._error(files.ENDLESS_INCLUDE, path.position, message)
        elif len(self.sources) >= MAX_FILES:
            raise ScriptError([error(TOO_MUCH, path.position, f"more than {MAX_FILES} files are included")])
        elif (text := self._text_of(word, path, name)) is not None:
            self.sources[name] = text
            yield from self._file(SourceText(text, name), (*chain, name))

    def _text_of(self, word: Token, path: Token, name: str) -> str | None:
        if name in self.sources:
            text = self.sources[name]
        else:
            try:
                text = decode(self.read(name))
            except FileNotFoundError:
                if word.text != "import_file":
                    hint = "it is looked for beside the file that includes it; import_file skips a file that is missing"
                    self._error(files.NO_SUCH_FILE, path.position, f"there is no file {name}", hint)
                return None
            except (OSError, ValueError) as problem:
                reason = getattr(problem, "strerror", None) or str(problem)
                self._error(files.NO_SUCH_FILE, path.position, f"{name} cannot be read: {reason}")
                return None
        self._count(text, path.position)
        return text

    def _count(self, text: str, place: Position) -> None:
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            message = f"the script, with what it includes, has more than {MAX_CHARACTERS} characters"
            raise ScriptError([error(TOO_MUCH, place, message, LONG_DATA)])

    # --- directives ---------------------------------------------------------------------------------------

    def _own(self, source: SourceText) -> Iterator[Token]:
        """The tokens of one file, without its directives but for includes, and without what `#!ifdef` leaves out."""
        open_conditions: list[_Condition] = []
        start = 0
        while start >= 0:
            resume = -1
            for token in scan(source, self.found, start):
                if token.kind == END and open_conditions:
                    place = open_conditions[-1].place
                    self._error(
                        files.UNBALANCED_IFDEF,
                        place,
                        "this has no #!endif",
                        "it ends in the file that begins it",
                    )
                if token.kind != DIRECTIVE or _word(token) in INCLUDES:
                    yield token
                elif self._is_left_out(token, open_conditions):
                    resume = self._skip(source, token, open_conditions)
                    break
            start = resume

    def _is_left_out(self, token: Token, open_conditions: list[_Condition]) -> bool:
        """Obey a directive; whether what follows it is left out."""
        word, rest = _word(token), _rest(token)
        match word:
            case "ifdef" | "ifndef":
                open_conditions.append(_Condition(token.position))
                name = _NAME.match(rest)
                if name is None:
                    self._error(
                        files.BAD_DIRECTIVE, token.position, f"#!{word} needs a name", f"write #!{word} NAME"
                    )
                return (name is not None and name.group() in self._names) != (word == "ifdef")
            case "else":
                if not open_conditions or open_conditions[-1].in_else:
                    self._error(files.UNBALANCED_IFDEF, token.position, "#!else without #!ifdef")
                    return False
                open_conditions[-1].in_else = True
                return True
            case "endif":
                if not open_conditions:
                    self._error(files.UNBALANCED_IFDEF, token.position, "#!endif without #!ifdef")
                else:
                    open_conditions.pop()
            case "define" | "trydef" | "redefine":
                self._define(token, word, rest)
            case "subst" | "substdef" | "substdefs":
                self._substitute(token, word, rest)
            case _:
                message = f"#!{word} is not supported"
                self._error(OTHER_DIALECT, token.position, message, DIRECTIVES.get(word, ""))
                if word == "ifexp":
                    open_conditions.append(_Condition(token.position))
        return False

    def _skip(self, source: SourceText, token: Token, open_conditions: list[_Condition]) -> int:
        """Where to go on behind what is left out: after the `#!else` or `#!endif` that ends it."""
        depth = 0
        starts = source.offset(token.position.end_line, token.position.end_column)
        for line in _CONDITION.finditer(source.text, starts):
            word = line.group(1)
            if word.startswith("if"):
                depth += 1
            elif word == "endif":
                depth -= 1
                if depth < 0:
                    open_conditions.pop()
                    break
            elif depth == 0 and not open_conditions[-1].in_else:
                open_conditions[-1].in_else = True
                break
        else:
            return len(source.text)
        self.left_out.append(source.position(starts, line.start()))
        return line.end()

    def _define(self, token: Token, word: str, rest: str) -> None:
        name = _NAME.match(rest)
        if name is None:
            self._error(
                files.BAD_DIRECTIVE, token.position, f"#!{word} needs a name", f"write #!{word} NAME value"
            )
            return
        value = rest[name.end() :]
        if value and not value[0].isspace() and not value.startswith("\\"):
            hint = "a name has letters, digits and underscores"
            self._error(files.BAD_DIRECTIVE, token.position, f"{rest.split()[0]} is no name", hint)
            return
        if name.group() in self._names:
            if word == "trydef":
                return
            if word == "define":
                hint = "#!redefine gives it another value, #!trydef leaves the one it has"
                self._error(files.DEFINED_TWICE, token.position, f"{name.group()} is defined already", hint)
                return
        place = token.position
        column = place.column + len("#!") + len(token.text) - len(value)
        begin = Position(place.file, place.line, column, place.end_line, place.end_column)
        self._names[name.group()] = self._tokens_of(SourceText(value, place.file, begin))

    def _tokens_of(self, value: SourceText) -> tuple[Token, ...]:
        return tuple(token for token in scan(value, self.found) if token.kind not in (END, DIRECTIVE))

    def _substitute(self, token: Token, word: str, rest: str) -> None:
        try:
            substitution = read_substitution(_CONTINUED.sub("", rest))
            if word != "subst" and not _NAME.fullmatch(substitution.pattern):
                raise ValueError(f'#!{word} needs a name, not "{substitution.pattern}"')
        except ValueError as problem:
            self._error(
                files.BAD_SUBSTITUTION, token.position, str(problem), f'write #!{word} "/NAME/value/g"'
            )
            return
        self._substitutions.append(substitution)
        if word != "subst":
            value = substitution.replacement
            if word == "substdefs":
                value = _quoted(value)
            self._names[substitution.pattern] = self._tokens_of(
                SourceText(value, token.position.file, token.position)
            )

    # --- names --------------------------------------------------------------------------------------------

    def _replacement(self, token: Token) -> Iterator[Token]:
        """What stands for a token: itself, or the value of the name that it is."""
        if token.kind == "WORD" and self._names.get(token.text):
            for piece, (kind, text) in enumerate(self._value(token.text, token.position, ())):
                place = token.position
                if piece:
                    at = (place.file, place.line, place.column, place.end_line, place.end_column)
                    place = Position(*at, piece)
                yield Token(kind, text, place)
        elif self._substitutions and token.kind in _REPLACEABLE:
            yield Token(token.kind, self._substituted(token.kind, token.text), token.position)
        else:
            yield token

    def _value(self, name: str, place: Position, within: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Kinds and texts of what stands for a name; a name within its own value stays as it is."""
        for token in self._names[name]:
            text = token.text
            if token.kind == "WORD" and text not in within and text != name and self._names.get(text):
                yield from self._value(text, place, (*within, name))
                continue
            self._replaced += 1
            if self._replaced > MAX_REPLACED:
                message = "the values of the defined names are too large together"
                raise ScriptError([error(TOO_MUCH, place, message)])
            if token.kind in _REPLACEABLE:
                text = self._substituted(token.kind, text)
            yield token.kind, text

    def _substituted(self, kind: str, text: str) -> str:
        inner = unquote(text) if kind == "STRING" else text
        changed = inner
        for substitution in self._substitutions:
            changed = substitution.apply(changed)
        if changed == inner:
            return text
        return _quoted(changed) if kind == "STRING" else changed

    def _error(self, rule: ErrorRule, place: Position, message: str, hint: str = "") -> None:
        self.found.append(error(rule, place, message, hint))


def _word(token: Token) -> str:
    """The word behind `#!`."""
    return token.text.split(None, 1)[0].partition('"')[0].partition("\\")[0]


def _rest(token: Token) -> str:
    """What stands behind the word."""
    return token.text[len(_word(token)) :].lstrip(" \t")


def _path_behind(token: Token) -> tuple[Token, Token]:
    """Word and path of `#!include_file "x"`; without quotes, the whole rest is the path."""
    rest = _rest(token)
    path = rest if rest[:1] in "\"'" and rest[-1:] == rest[:1] and len(rest) > 1 else _quoted(rest)
    return Token("WORD", _word(token), token.position), Token("STRING", path, token.position)


def _quoted(text: str) -> str:
    """A string as it is written."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

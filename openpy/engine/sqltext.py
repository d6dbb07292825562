"""SQL that a script writes itself, with pseudo-variables in it: what the database is given, and what it is never given.

Rules:
1. The database reads the SQL of the script and nothing else. Each pseudo-variable is a parameter of the statement, so
   nothing that a message carries is taken for SQL, wherever the pseudo-variable stands.
2. Within quotes the whole quoted text is one parameter: `'sip:$rU@$rd'`. A pseudo-variable without a value is `<null>`
   in it, as in every format.
3. Outside of quotes it is one value: a number if it is one by nature, else a text; NULL if it has no value.
4. What SQL takes no parameter for is refused when the script is loaded: the statement as a whole, names of tables and
   columns, parts of names, comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openpy.db.dialect import Dialect
from openpy.db.executor import PlainStatement
from openpy.engine.run import Run
from openpy.script.environment import ArgumentError, Environment
from openpy.script.formats import FormatText, parse_format
from openpy.script.values import Value, as_number

READS = frozenset({"select", "show", "values", "describe", "desc", "explain"})
"""The words with which a statement begins that changes nothing."""

FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)(?=[\s(*;]|$)")
NAME_FOLLOWS = re.compile(r"\b(from|into|update|join|table|by)\s+$", re.I)
WORD = re.compile(r"\w")

ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
"""What a backslash makes of a character in a text of MySQL; `\\%` and `\\_` stay, any other is itself."""

Template = tuple[str | int, ...]
"""A quoted text: what stands in it, and the numbers of its pseudo-variables."""


class SqlText:
    """A statement, ready for a database. `text` is as the script has it; `is_query`: it changes nothing."""

    __slots__ = ("_format", "_parameters", "is_query", "sql", "text")

    def __init__(
        self, text: str, sql: str, parameters: Sequence[Template | int], is_query: bool, format_: FormatText
    ) -> None:
        self.text = text
        self.sql = sql
        self.is_query = is_query
        self._parameters = tuple(parameters)
        self._format = format_

    def statement(self, run: Run) -> PlainStatement:
        """The SQL and the values of its parameters for a run."""
        values = self._format.read(run)
        printed = self._format.printed(values)
        return self.sql, [
            _bare(values[parameter])
            if isinstance(parameter, int)
            else "".join(part if isinstance(part, str) else printed[part] for part in parameter)
            for parameter in self._parameters
        ]


@dataclass(frozen=True, slots=True)
class SqlKind:
    """SQL for databases of one kind; without a dialect it is only looked at."""

    dialect: Dialect | None = None
    description: str = "SQL, with pseudo-variables for values"

    def convert(self, text: str, environment: Environment) -> SqlText:
        """Parse; raises ArgumentError."""
        parsed = parse_format(text, environment)
        texts = parsed.texts
        begin = FIRST_WORD.match(texts[0])
        if begin is None:
            raise ArgumentError(
                f'"{text}" does not begin with a word of SQL: write the statement itself, with pseudo-variables for'
                " values only"
            )
        reader = _Reader(self.dialect or Dialect)
        for number, part in enumerate(texts[:-1]):
            reader.text(part)
            reader.variable(number)
        reader.text(texts[-1])
        sql = reader.end()
        return SqlText(text, sql, reader.parameters, begin[1].lower() in READS, parsed)


def _bare(value: Value) -> Value:
    """A value as a parameter: a text with an integer view, such as `$sp`, is a number if it reads like it."""
    number = as_number(value)
    if number is not None:
        return int(number) if str(number) == str(value) else str(value)
    return None if value is None else str(value)


class _Reader:
    """Reads SQL up to a pseudo-variable and on behind it; where it is wrong about a place, a value is still a value."""

    def __init__(self, dialect: Dialect | type[Dialect]) -> None:
        self.parameters: list[Template | int] = []
        self._dialect = dialect
        self._sql: list[str] = []
        self._inside = ""  # the quote, or the begin of the comment, in which one is
        self._raw = ""  # the quoted text as written
        self._template: list[Any] = []  # and its parts
        self._behind_variable = False

    # --- the parts, one after the other ---------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Read what the script has written."""
        if self._behind_variable and text and (WORD.match(text) or text[0] in self._dialect.text_quotes):
            raise ArgumentError("a pseudo-variable stands within a word; quote it, as in '$rU'")
        self._behind_variable = self._behind_variable and not text
        at = 0
        while at < len(text):
            if self._inside in ("--", "#"):
                at = self._comment(text, at, "\n")
            elif self._inside == "/*":
                at = self._comment(text, at, "*/")
            elif self._inside:
                at = self._quoted(text, at)
            else:
                at = self._plain(text, at)

    def variable(self, number: int) -> None:
        """Take a pseudo-variable where one is."""
        if self._inside in ("--", "#", "/*"):
            raise ArgumentError("a pseudo-variable stands in a comment of the SQL")
        if self._inside:
            if self._inside not in self._dialect.text_quotes:
                raise ArgumentError(
                    f"a pseudo-variable stands in a name quoted with {self._inside}; a text has single quotes: '$rU'"
                )
            self._template.append(number)
            return
        if self._sql and self._sql[-1] == self._dialect.placeholder:
            raise ArgumentError("a pseudo-variable follows another; quote them together, as in '$rU$rd'")
        before = "".join(self._sql)
        if before and (WORD.match(before[-1]) or before[-1] in ".@:"):
            raise ArgumentError("a pseudo-variable stands within a word; quote it, as in '$rU'")
        if named := NAME_FOLLOWS.search(before):
            raise ArgumentError(
                f'a pseudo-variable cannot be the name that follows "{named[1]}": the database takes values only'
            )
        self._parameter(number)
        self._behind_variable = True

    def end(self) -> str:
        """The SQL; raises ArgumentError where a quote or a comment is open."""
        if self._inside not in ("", "--", "#"):
            raise ArgumentError(f"what {self._inside} begins in the SQL does not end")
        return "".join(self._sql)

    # --- reading --------------------------------------------------------------------------------------------------

    def _plain(self, text: str, at: int) -> int:
        character = text[at]
        if character in "'\"`":
            self._inside = self._raw = character
            self._template = []
            return at + 1
        begins = ["--", "/*"] + (["#"] if self._dialect.text_escapes else [])
        for begin in begins:
            if text.startswith(begin, at):
                self._inside = begin
                self._write(begin)
                return at + len(begin)
        self._write(character)
        return at + 1

    def _comment(self, text: str, at: int, end: str) -> int:
        stop = text.find(end, at)
        if stop < 0:
            stop = len(text)
        else:
            stop += len(end)
            self._inside = ""
        self._write(text[at:stop])
        return stop

    def _quoted(self, text: str, at: int) -> int:
        character = text[at]
        if character == "\\" and self._dialect.text_escapes and self._inside != "`":
            if at + 1 == len(text):
                raise ArgumentError("a backslash stands before a pseudo-variable")
            following = text[at + 1]
            self._add(
                text[at : at + 2],
                f"\\{following}" if following in "%_" else ESCAPED.get(following, following),
            )
            return at + 2
        if character != self._inside:
            self._add(character, character)
        elif text.startswith(character, at + 1):
            self._add(character * 2, character)
            return at + 2
        else:
            self._close()
        return at + 1

    def _add(self, raw: str, meaning: str) -> None:
        self._raw += raw
        if self._template and isinstance(self._template[-1], str):
            self._template[-1] += meaning
        else:
            self._template.append(meaning)

    def _close(self) -> None:
        if any(isinstance(part, int) for part in self._template):
            before = "".join(self._sql)
            if before and WORD.match(before[-1]):
                raise ArgumentError(
                    "a pseudo-variable stands in a text with a prefix; write plain quotes: '$rU'"
                )
            self._parameter(tuple(self._template))
        else:
            self._write(self._raw + self._inside)
        self._inside = ""

    def _parameter(self, parameter: Template | int) -> None:
        self.parameters.append(parameter)
        self._sql.append(self._dialect.placeholder)

    def _write(self, text: str) -> None:
        """Write SQL of the script; where a placeholder begins with `%`, that is written twice."""
        self._sql.append(text.replace("%", "%%") if self._dialect.placeholder.startswith("%") else text)

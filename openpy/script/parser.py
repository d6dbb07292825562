"""The front of the language: text to tree.

The language is 1.3's. Accepted beyond it, without a word:
- `;` after a top-level statement, `request_route {}`, an empty block, a comment on a last line without newline;
- routes with names, `route("1")`, any words and digits in hosts, `status==200`, `forward(host, port)`;
- `reply_route`, `event_route[module:event]`, `flags NAME:1;`, `loadpath "x"`, `socket=`;
- a literal on the left (`"INVITE"==$rm`), `$null`, `return -1;`, `return $var(x);`;
- arguments that are not strings, in any number (the checker knows the functions);
- `break` in `while`, in `default:` and inside of an `if` in a `case`.

Accepted with a warning: `break` outside of any of these (it leaves the route, as in SER), an `exit;` or `}`
left over between routes, a character that means nothing. `#!` lines are comments, as in 1.3, except for those of
`preprocessor`, which also includes files. What only other dialects have is in `dialects`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from openpy.script.diagnostics import Diagnostic, ScriptError, Severity, error, in_order
from openpy.script.environment import Rest, rest_never
from openpy.script.lexer import SourceText
from openpy.script.preprocessor import Preprocessor, Read, decode, read_nothing
from openpy.script.reader import Reader
from openpy.script.rules.text import UNEXPECTED
from openpy.script.syntax import Position, Script


@dataclass(frozen=True, slots=True)
class ParsedScript:
    """The tree of a script, and what its author should know about it.

    With errors among `found`, what was read in spite of them: statements and conditions are missing in it.
    `sources` are the texts of its files, by name; `left_out` is what `#!ifdef` leaves out of them.
    """

    script: Script
    found: tuple[Diagnostic, ...]
    sources: dict[str, str] = field(default_factory=dict)
    left_out: tuple[Position, ...] = ()

    @property
    def errors(self) -> list[Diagnostic]:
        """Why the script cannot be used."""
        return [diagnostic for diagnostic in self.found if diagnostic.severity is Severity.ERROR]


Definitions = Iterable[tuple[str, str]]
"""Names and their values, as `-A NAME=value` on the command line gives them."""


def parse(
    source: str | bytes, file: str, read: Read = read_nothing, definitions: Definitions = ()
) -> ParsedScript:
    """Parse a script. Raises ScriptError with all mistakes found in one run.

    `file` names the script in positions, `read` gives the bytes of the files that it includes.
    """
    parsed = parse_leniently(source, file, read, definitions)
    if parsed.errors:
        raise ScriptError(parsed.errors)
    return parsed


def parse_leniently(
    source: str | bytes,
    file: str,
    read: Read = read_nothing,
    definitions: Definitions = (),
    rest: Rest = rest_never,
) -> ParsedScript:
    """Parse a script as far as its mistakes allow; raises ScriptError where nothing is left to look at.

    Bytes are decoded as UTF-8; bytes that are none survive as surrogate escapes. Raises ValueError for a definition
    of what is no name. `rest` is called often.
    """
    text = decode(source) if isinstance(source, bytes) else source
    place = SourceText(text, file)
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as failure:
        where = place.position(failure.start, failure.end)
        raise ScriptError([error(UNEXPECTED, where, "this is no character")]) from None
    found: list[Diagnostic] = []
    preprocessor = Preprocessor(found, read, rest)
    for name, value in definitions:
        preprocessor.define(name, value)
    script = Reader(file, preprocessor.tokens(place), found, rest).read()
    found = in_order(found, file)
    if script is None:
        raise ScriptError(found)
    return ParsedScript(script, tuple(found), preprocessor.sources, tuple(preprocessor.left_out))

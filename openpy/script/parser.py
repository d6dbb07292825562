"""The front of the language: text to tree.

The language is 1.3's. Accepted beyond it, without a word:
- `;` after a top-level statement, `request_route {}`, an empty block, a comment on a last line without newline;
- routes with names, `route("1")`, any words and digits in hosts, `status==200`, `forward(host, port)`;
- arguments that are not strings, in any number (the checker knows the functions);
- `break` in `while`, in `default:` and inside of an `if` in a `case`.

Accepted with a warning: `break` outside of any of these (it leaves the route, as in SER), an `exit;` or `}`
left over between routes, a character that means nothing. `#!` lines are comments, as in 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpy.script.diagnostics import Diagnostic, ScriptError, Severity, error
from openpy.script.lexer import SourceText, tokenize
from openpy.script.reader import Reader
from openpy.script.syntax import Script


@dataclass(frozen=True, slots=True)
class ParsedScript:
    """The tree of a script, and what its author should know about it.

    With errors among `found`, what was read in spite of them: statements and conditions are missing in it.
    """

    script: Script
    found: tuple[Diagnostic, ...]

    @property
    def errors(self) -> list[Diagnostic]:
        """Why the script cannot be used."""
        return [diagnostic for diagnostic in self.found if diagnostic.severity is Severity.ERROR]


def parse(source: str | bytes, file: str) -> ParsedScript:
    """Parse a script; `file` names it in positions. Raises ScriptError with all mistakes found in one run."""
    parsed = parse_leniently(source, file)
    if parsed.errors:
        raise ScriptError(parsed.errors)
    return parsed


def parse_leniently(source: str | bytes, file: str) -> ParsedScript:
    """Parse a script as far as its mistakes allow; raises ScriptError where nothing is left to look at.

    Bytes are decoded as UTF-8; bytes that are none survive as surrogate escapes.
    """
    text = source.decode("utf-8", "surrogateescape") if isinstance(source, bytes) else source
    place = SourceText(text, file)
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as failure:
        raise ScriptError(
            [error(place.position(failure.start, failure.end), "this is no character")]
        ) from None
    tokens, found = tokenize(place)
    script = Reader(file, tokens, found).read()
    found.sort(key=lambda diagnostic: diagnostic.place)
    if script is None:
        raise ScriptError(found)
    return ParsedScript(script, tuple(found))

"""The words of the language by what they are, for those who colour scripts; all from the tables of the engine."""

from __future__ import annotations

from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.script.corenames import FIRST_NAMES
from openpy.script.lexer import DIRECTIVE_WORDS, KEYWORDS
from openpy.script.preprocessor import INCLUDES

_ROUTES = ("ROUTE", "SPECIAL_ROUTE")
_LOADING = ("loadmodule", "modparam", "dst_blacklist", "TLS_DOMAIN")
_CONSTANTS = ("NUMBER", "NULL", "myself")
_WORD_OPERATORS = ("&&", "||", "!")
_OTHERS = ("SOCKETS", "OPERAND")


def _of(*kinds: str) -> tuple[str, ...]:
    return tuple(word for word, kind in KEYWORDS.items() if kind in kinds)


ROUTES = _of(*_ROUTES)
"""What begins a route, and `route(...)`."""

LOADING = (*_of(*_LOADING), "flags", *INCLUDES)
"""What else begins a statement outside of routes."""

CONSTANTS = _of(*_CONSTANTS)
WORD_OPERATORS = _of(*_WORD_OPERATORS)
OPERANDS = (*_of("OPERAND"), "msg:len")

CONTROL = tuple(
    word
    for word, kind in KEYWORDS.items()
    if kind not in (*_ROUTES, *_LOADING, *_CONSTANTS, *_WORD_OPERATORS, *_OTHERS)
)
"""`if`, `exit` and the like."""

PARAMETERS = tuple(sorted({name for spec in CORE_PARAMETERS for name in (spec.name, *spec.aliases)}))
FUNCTIONS = tuple(sorted({*CORE_FUNCTIONS, *FIRST_NAMES}))
DIRECTIVES = tuple(DIRECTIVE_WORDS)

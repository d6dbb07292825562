"""The words of the language by what they are."""

from __future__ import annotations

from openpy.editor import vocabulary
from openpy.engine.config import CORE_PARAMETERS
from openpy.engine.corefunctions import CORE_FUNCTIONS
from openpy.script.lexer import KEYWORDS


def test_every_keyword_is_something() -> None:
    groups = (
        vocabulary.ROUTES,
        vocabulary.LOADING,
        vocabulary.CONTROL,
        vocabulary.CONSTANTS,
        vocabulary.WORD_OPERATORS,
        vocabulary.OPERANDS,
        vocabulary.PARAMETERS,
    )
    known = [word for group in groups for word in group]
    assert set(KEYWORDS) <= set(known)
    assert len(known) == len(set(known))


def test_all_names_of_the_core_are_there() -> None:
    assert {spec.name for spec in CORE_PARAMETERS} <= set(vocabulary.PARAMETERS)
    assert set(CORE_FUNCTIONS) <= set(vocabulary.FUNCTIONS)
    assert {"if", "exit", "break", "esac"} <= set(vocabulary.CONTROL)
    assert "ifdef" in vocabulary.DIRECTIVES

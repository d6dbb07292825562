"""What pseudo-variables are, in words."""

from __future__ import annotations

import re

from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.variabledocs import VARIABLE_DOCS


def test_every_variable_of_the_core_is_described_and_no_other() -> None:
    assert set(VARIABLE_DOCS) == set(PSEUDO_VARIABLES)
    assert all(PSEUDO_VARIABLES[name].doc == text for name, text in VARIABLE_DOCS.items())


def test_what_is_the_same_as_another_is_that() -> None:
    for name, text in VARIABLE_DOCS.items():
        if match := re.fullmatch(r"The same as \$(.+)", text):
            one, other = (PSEUDO_VARIABLES[key] for key in (name, match.group(1)))
            assert (one.bind_setter is None) == (other.bind_setter is None)
            assert not VARIABLE_DOCS[other.name].startswith("The same")

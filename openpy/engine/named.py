"""What parameters and arguments name: AVPs, and pseudo-variables that a module reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openpy.engine.avps import EXPECTED, NamedAvp
from openpy.engine.module import ArgumentError
from openpy.engine.parameters import PseudoVariableKind
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.uritransformations import URI_TRANSFORMATIONS
from openpy.script.environment import Environment, Getter
from openpy.script.transformations import TRANSFORMATIONS

__all__ = ["NamedAvp", "NamedAvpKind", "avp_of", "avp_written", "variable"]

_CORE = Environment(
    pseudo_variables=dict(PSEUDO_VARIABLES), transformations={**TRANSFORMATIONS, **URI_TRANSFORMATIONS}
)


@dataclass(frozen=True, slots=True)
class NamedAvpKind:
    """An argument that names an AVP."""

    description: str = "an AVP such as s:name or i:5"

    def convert(self, text: str, environment: Any) -> NamedAvp:
        """Convert; raises ArgumentError."""
        return NamedAvp(text)


def avp_written(text: str) -> str:
    """Check that a parameter is empty or names an AVP: `$avp(s:name)`, `$avp(alias)` or the older `s:name`.

    Raises ArgumentError.
    """
    if text and not text.strip().startswith(("$avp(", "s:", "i:")):
        raise ArgumentError(f'"{text}" is no AVP', EXPECTED)
    return NamedAvp(text).text if text else text


def avp_of(written: str) -> NamedAvp | None:
    """The AVP that such a parameter names, if it names one."""
    return NamedAvp(written) if written else None


def variable(text: str) -> Getter:
    """What reads the one pseudo-variable of the core that a parameter names; raises ArgumentError."""
    getter: Getter = PseudoVariableKind().convert(text, _CORE)
    return getter

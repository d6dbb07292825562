"""Where `avp_pushto` puts values: the Request-URI or a part of it, the next hop, further branches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from openpy.engine.avps import bare_name, split_variable
from openpy.engine.corebranches import add_branch
from openpy.engine.coreuri import rewritehost, rewriteuri, rewriteuser
from openpy.engine.module import ArgumentError, Value
from openpy.engine.requesturi import is_acceptable
from openpy.engine.run import Run
from openpy.engine.state import Branch

Push = Callable[[Run, str], bool]

REQUEST_URI: dict[str, Push] = {
    "": lambda run, text: rewriteuri(run, text) > 0,
    "username": lambda run, text: rewriteuser(run, text) > 0,
    "domain": lambda run, text: rewritehost(run, text) > 0,
}
"""By the part that is rewritten."""

NAMES = {"ru": "ru", "ruri": "ru", "du": "du", "duri": "du", "br": "br"}

EXPECTED = "write $ru, $ru/username, $ru/domain, $du or $br"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where values go: `ru`, `du` or `br`, and of `ru` perhaps a part."""

    name: str
    part: str = ""

    def push(self, run: Run, values: list[Value]) -> bool:
        """Put values there, one after the other; False at the first that cannot be used.

        Before the Request-URI is rewritten once more, it becomes a branch as it is.
        """
        for count, value in enumerate(values):
            if value is None or not self._push(run, value, count > 0):
                return False
        return bool(values)

    def _push(self, run: Run, value: str | int, is_further: bool) -> bool:
        if value == "" and not self.part:  # it is no URI
            return False
        if self.name == "ru":
            if is_further and not add_branch(run, Branch(run.uri)):
                return False
            return REQUEST_URI[self.part](run, str(value))
        if isinstance(value, int) or not is_acceptable(value):
            return False
        if self.name == "br":
            return add_branch(run, Branch(str(value), send_socket=run.state.send_socket))
        run.state.destination_uri = str(value)
        return True


@dataclass(frozen=True, slots=True)
class DestinationKind:
    """A place for values."""

    description: str = "$ru[/username|/domain], $du or $br"

    def convert(self, text: str, environment: Any) -> Destination:
        """Convert; raises ArgumentError."""
        if not text.startswith("$"):
            raise ArgumentError(f'"{text}" is no place for a value; {EXPECTED}')
        named, rest = split_variable(text)
        if named.startswith(("$hdr", "$(hdr")):
            raise ArgumentError('a header is added by textops: append_hf("Name: $avp(s:x)\\r\\n")')
        name = NAMES.get(bare_name(named))
        if name is None:
            raise ArgumentError(f'"{named}" is no place for a value; {EXPECTED}')
        part = rest[1:].lower()
        if rest and (not rest.startswith("/") or name != "ru" or part not in ("username", "domain")):
            raise ArgumentError(f'"{rest}" is no part of {named}; {EXPECTED}')
        return Destination(name, part)


DestinationArgument = Annotated[Destination, DestinationKind()]

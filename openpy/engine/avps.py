"""AVPs as scripts name them: `$avp(s:name)`, `$avp(i:5)`, `$avp(alias)` (openser 1.3 core, `usr_avp`).

Rules:
1. The AVPs of a message are in `run.state.avps`, by name; each name has its values, the newest first.
2. In a string name letter case counts, in an alias it does not.
3. A bare name is an alias if there is one when the script runs, else a string name.
"""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.script.environment import ArgumentError, Environment, Getter, Inner
from openpy.script.pseudovariables import Reference, bind, read, read_whole
from openpy.script.values import Value

AvpName = str | int
"""A str for `s:x`, an int for `i:5`."""

EXPECTED = "write $avp(s:name) or $avp(i:5)"


def avp_name(text: str) -> AvpName:
    """The key of an AVP: an int for `i:5`, a str for `s:x`; a bare name is, as later servers have it, a string name.

    Flag digits (`s1:x`) are accepted. Raises ArgumentError.
    """
    kind, colon, name = text.partition(":")
    if colon and kind[:1] in ("s", "i") and (not kind[1:] or kind[1:].isdigit()):
        if kind[0] == "s":
            if not name:
                raise ArgumentError(f'bad avp name "{text}"')
            return name
        try:
            return int(name, 0)
        except ValueError:
            raise ArgumentError(f'bad avp name "{text}": i: is followed by a number') from None
    if colon or not text:
        raise ArgumentError(f'bad avp name "{text}": write s:name or i:number')
    return text


def avp_key(inner: Inner) -> AvpName | Getter:
    """The key of an AVP by what stands in its parentheses, or for a bare name and another pseudo-variable what gives
    it for a run. Raises ArgumentError."""
    if inner is None:
        raise ArgumentError("$avp needs a name: $avp(s:name)")
    if not isinstance(inner, str):
        return inner
    name = avp_name(inner)
    if ":" in inner or isinstance(name, int):
        return name
    alias = name.lower()
    return lambda run: run.server.avp_aliases.get(alias, name)


def resolve(run: Run, key: AvpName | Getter) -> AvpName | None:
    """The name of an AVP for a run; None where the pseudo-variable that gives it has no value."""
    return key(run) if callable(key) else key


class Avp:
    """An AVP that a script names, with all its values."""

    __slots__ = ("_key", "text")

    def __init__(self, text: str, key: AvpName | Getter) -> None:
        self.text = text
        self._key = key

    def name(self, run: Run) -> AvpName | None:
        """Its name for a run; None where the pseudo-variable that gives it has no value."""
        return resolve(run, self._key)

    def values(self, run: Run) -> list[Value]:
        """Its values, the newest first; a list of the caller's own."""
        name = self.name(run)
        return [] if name is None else list(run.state.avps.get(name, ()))

    def read(self, run: Run) -> Value:
        """Its newest value; None where it has none."""
        name = self.name(run)
        values = None if name is None else run.state.avps.get(name)
        return values[0] if values else None

    def add(self, run: Run, value: Value) -> None:
        """Put a value before those that it has; None is no value."""
        name = self.name(run)
        if name is not None and value is not None:
            run.state.avps.setdefault(name, []).insert(0, value)


class NamedAvp(Avp):
    """The AVP that a text names: `$avp(s:name)`, `$avp(i:5)`, `$avp(alias)`, or what stands in the parentheses."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Raises ArgumentError."""
        bare = text.strip()
        inner = bare[5:-1].strip() if bare.startswith("$avp(") and bare.endswith(")") else bare
        if not inner or inner.startswith("$"):
            raise ArgumentError(f'"{text}" is no AVP', EXPECTED)
        super().__init__(bare, avp_key(inner))


def split_variable(text: str) -> tuple[str, str]:
    """The pseudo-variable with which a text begins, and what follows it; raises ArgumentError."""
    if not text.startswith("$"):
        raise ArgumentError(f'"{text}" does not begin with a pseudo-variable')
    _, end = read(text)
    return text[:end], text[end:]


def bare_name(text: str) -> str:
    """The name of a pseudo-variable without anything to it, as in `$ru` and `$(ru)`; "" for others.

    Raises ArgumentError.
    """
    reference = read_whole(text)
    plain = reference.inner is None and reference.index is None and not reference.transformations
    return reference.name if plain else ""


def read_avp(text: str, environment: Environment) -> Avp:
    """The AVP that a text names, with all its values and nothing else; raises ArgumentError."""
    reference = read_whole(text)
    if not _names_all_values(reference):
        raise ArgumentError(f'"{text}" is no AVP; {EXPECTED}')
    inner = reference.inner
    if inner is not None and inner.startswith("$"):
        return Avp(text, bind(read_whole(inner), environment))
    return Avp(text, avp_key(inner))


def read_value(text: str, environment: Environment) -> Getter:
    """One value of an AVP: the newest, or the one that an index names; raises ArgumentError."""
    reference = read_whole(text)
    if reference.name != "avp" or reference.transformations or reference.index == "*":
        raise ArgumentError(f'"{text}" is no value of an AVP; {EXPECTED}, or $(avp(s:name)[1])')
    return bind(reference, environment)


def read_operand(text: str, environment: Environment) -> Avp | Getter:
    """An AVP with all its values, or what gives the one value of any other pseudo-variable; raises ArgumentError."""
    reference = read_whole(text)
    return read_avp(text, environment) if _names_all_values(reference) else bind(reference, environment)


def _names_all_values(reference: Reference) -> bool:
    return reference.name == "avp" and reference.index is None and not reference.transformations

"""`$var` and `$avp`: what a script stores while it runs (openser 1.3 core, `script_var` and `usr_avp`)."""

from __future__ import annotations

from openpy.engine.run import Run
from openpy.script.environment import ArgumentError, Getter, Index, Inner, PseudoVariableSpec, Setter
from openpy.script.values import Value

AvpName = str | int


# --- $var(name) -------------------------------------------------------------------------------------------------


def _bind_variable(inner: Inner, index: Index) -> Getter:
    if not isinstance(inner, str) or not inner:
        raise ArgumentError("$var needs a name: $var(x)")
    name = inner
    return lambda run: run.variables.get(name, 0)


def _bind_variable_setter(inner: Inner) -> Setter:
    if not isinstance(inner, str) or not inner:
        raise ArgumentError("$var needs a name: $var(x)")
    name = inner

    def assign(run: Run, value: Value, operator: str) -> bool:
        run.variables[name] = 0 if value is None else value
        return True

    return assign


# --- $avp(s:name), $avp(i:5), $avp(alias) -------------------------------------------------------------------------


def avp_name(text: str, aliases: dict[str, AvpName] | None = None) -> AvpName:
    """The key of an AVP: an int for `i:5`, a str for `s:x`; a bare name is an alias or, as later servers have it,
    a string name. Flag digits (`s1:x`) are accepted. Raises ArgumentError."""
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
    return (aliases or {}).get(text.lower(), text)


def _avp_key(inner: Inner) -> AvpName | Getter:
    """The key, or for a bare name and another pseudo-variable what gives it for a run."""
    if inner is None:
        raise ArgumentError("$avp needs a name: $avp(s:name)")
    if not isinstance(inner, str):
        return inner
    name = avp_name(inner)
    if ":" in inner or isinstance(name, int):
        return name
    alias = name.lower()
    return lambda run: run.server.avp_aliases.get(alias, name)


def _resolve(run: Run, key: AvpName | Getter) -> AvpName | None:
    return key(run) if callable(key) else key


def _bind_avp(inner: Inner, index: Index) -> Getter:
    key = _avp_key(inner)

    def get(run: Run) -> Value:
        name = _resolve(run, key)
        values = run.state.avps.get(name) if name is not None else None
        if not values:
            return None
        position = index(run) if callable(index) else index
        if position == "*":
            return ", ".join(str(value) for value in values)
        if position is None:
            position = 0
        if not isinstance(position, int) or not -len(values) <= position < len(values):
            return None
        return values[position]

    return get


def _bind_avp_setter(inner: Inner) -> Setter:
    key = _avp_key(inner)

    def assign(run: Run, value: Value, operator: str) -> bool:
        name = _resolve(run, key)
        if name is None:
            return False
        avps = run.state.avps
        if value is None:
            if operator == ":=":
                avps.pop(name, None)
            elif avps.get(name):
                avps[name].pop(0)
        elif operator == ":=":
            avps[name] = [value]
        else:
            avps.setdefault(name, []).insert(0, value)
        return True

    return assign


VARIABLES: dict[str, PseudoVariableSpec] = {
    "var": PseudoVariableSpec("var", _bind_variable, _bind_variable_setter, takes_inner=True),
    "avp": PseudoVariableSpec("avp", _bind_avp, _bind_avp_setter, takes_inner=True, takes_index=True),
}

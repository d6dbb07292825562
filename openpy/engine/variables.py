"""`$var` and `$avp`: what a script stores while it runs (openser 1.3 core, `script_var` and `usr_avp`)."""

from __future__ import annotations

from openpy.engine.avps import avp_key, resolve
from openpy.engine.run import Run
from openpy.script.environment import ArgumentError, Getter, Index, Inner, PseudoVariableSpec, Setter
from openpy.script.values import Value

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


def _bind_avp(inner: Inner, index: Index) -> Getter:
    key = avp_key(inner)

    def get(run: Run) -> Value:
        name = resolve(run, key)
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
    key = avp_key(inner)

    def assign(run: Run, value: Value, operator: str) -> bool:
        name = resolve(run, key)
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

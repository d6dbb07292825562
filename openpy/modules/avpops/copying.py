"""From one AVP to another: `avp_copy` and `avp_subst`.

Values are taken newest first, and each becomes the newest of the target: several arrive in reverse order, as in 1.3.
"""

from __future__ import annotations

from openpy.engine.avps import Avp
from openpy.engine.module import Value
from openpy.engine.run import Run
from openpy.engine.substitution import SubstitutionText
from openpy.modules.avpops.operands import Flags, Pair
from openpy.modules.avpops.values import add, drop, number_in, plain


def copy(run: Run, source: Avp, target: Avp, flags: Flags) -> bool:
    """Copy the newest value, or all (`g`); `d` takes them from the source, `n` and `s` make numbers and texts of them.

    False, and nothing is changed, where there is no value, or one cannot be made a number.
    """
    from_, to = source.name(run), target.name(run)
    values = source.values(run)
    if "g" not in flags:
        del values[1:]
    copies = [_cast(value, flags) for value in values]
    if from_ is None or to is None or not copies or None in copies:
        return False
    if "d" in flags:
        drop(run, from_, range(len(values)))
    for value in copies:
        add(run, to, value)
    return True


def substitute(run: Run, pair: Pair, substitution: SubstitutionText) -> bool:
    """Put what a substitution makes of the newest text that it matches, or of all (`g`), into the target.

    The text is taken away with `d`, or if there is no target. False where nothing matches.
    """
    source = pair.source.name(run)
    target = source if pair.target is None else pair.target.name(run)
    if source is None or target is None:
        return False
    made: dict[int, str] = {}
    for place, value in enumerate(pair.source.values(run)):
        changed = substitution(run, value) if isinstance(value, str) else None
        if changed is not None:
            made[place] = changed
            if "g" not in pair.flags:
                break
    if "d" in pair.flags or pair.target is None:
        drop(run, source, made)
    for text in made.values():
        add(run, target, text)
    return bool(made)


def _cast(value: Value, flags: Flags) -> str | int | None:
    """The value as the flags want it; None where a text is no number."""
    if "n" in flags and isinstance(value, str):
        return number_in(value)
    return str(plain(value)) if "s" in flags else plain(value)

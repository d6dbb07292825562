"""The signatures of what a script or a command calls, with types for annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

_KEY = "openpy_signature"


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function; raises NameError for an annotation that means nothing.

    It is read once, which otherwise took a third of the time that loading a script takes. It is kept with the
    function, not by it: a module that a reload replaces takes what was read along.
    """
    kept = function.__dict__
    if _KEY not in kept:
        kept[_KEY] = inspect.signature(function, eval_str=True)
    signature: inspect.Signature = kept[_KEY]
    return signature

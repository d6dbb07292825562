from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from openpy.engine.signatures import signature_of


def made() -> Callable[..., Any]:
    def function(first: int, second: str | None = None) -> None:
        pass

    return function


def test_annotations_are_types() -> None:
    parameters = signature_of(made()).parameters.values()
    assert [parameter.annotation for parameter in parameters] == [int, str | None]


def test_it_is_read_once() -> None:
    function = made()
    assert signature_of(function) is signature_of(function)


def test_it_keeps_no_function_alive() -> None:
    function = made()
    signature_of(function)
    gone = weakref.ref(function)
    del function
    gc.collect()
    assert gone() is None


def test_an_annotation_that_means_nothing() -> None:
    def function(first: Nothing) -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    with pytest.raises(NameError, match="Nothing"):
        signature_of(function)

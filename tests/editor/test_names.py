"""Names, and every place where one stands."""

from __future__ import annotations

import pytest

from openpy.editor.names import (
    NAME,
    CannotRename,
    Name,
    check_new_name,
    defined,
    name_at,
    names_in,
    occurrences,
)
from openpy.script.syntax import RouteKind
from tests.editor.conftest import SCRIPT

SOURCES = {"test.cfg": SCRIPT}


def places(name: Name, sources: dict[str, str] = SOURCES) -> list[tuple[int, str, bool]]:
    """Line, the text that stands there, and whether it defines."""
    return [
        (
            sources[item.file].count("\n", 0, item.start) + 1,
            sources[item.file][item.start : item.end],
            item.defines,
        )
        for item in occurrences(sources, name)
    ]


def test_routes() -> None:
    assert places(Name(RouteKind.REQUEST, "RELAY")) == [
        (14, "RELAY", False),
        (18, "RELAY", True),
        (23, "RELAY", False),
    ]
    assert places(Name(RouteKind.FAILURE, "BUSY")) == [(12, "BUSY", False), (22, "BUSY", True)]
    assert places(Name(RouteKind.REQUEST, "BUSY")) == []


def test_variables_also_in_strings() -> None:
    assert places(Name("$var", "count")) == [(10, "count", True), (15, "count", False)]
    assert places(Name("$avp", "s:who")) == [(11, "s:who", True)]
    assert places(Name("$avp", "caller")) == [(2, "caller", True)]


def test_words_that_somebody_defines() -> None:
    assert places(Name(NAME, "FLAG")) == [(1, "FLAG", True), (13, "FLAG", False)]
    assert places(Name(NAME, "sl_send_reply")) == []
    text = "#!define A B\n#!define B 1\n#!ifdef A\nflags C:1;\n#!endif x\n#!ifdef\n#!subst '/A/b/'\n"
    text += "route { f(A, B, C); }"
    assert places(Name(NAME, "A"), {"x": text}) == [(1, "A", True), (3, "A", False), (8, "A", False)]
    assert places(Name(NAME, "B"), {"x": text}) == [(1, "B", False), (2, "B", True), (8, "B", False)]
    assert places(Name(NAME, "C"), {"x": text}) == [(4, "C", True), (8, "C", False)]


def test_names_in_all_files_and_in_what_is_left_out() -> None:
    sources = {"a": "#!ifdef NO\nroute { route(X); }\n#!endif", "b": 'route[X] { route("X"); }'}
    assert places(Name(RouteKind.REQUEST, "X"), sources) == [(2, "X", False), (1, "X", True), (1, "X", False)]


def test_the_name_at_a_place() -> None:
    found = name_at(SOURCES, "test.cfg", SCRIPT.index("RELAY") + 2)
    assert found is not None
    assert found[0].name == Name(RouteKind.REQUEST, "RELAY")
    assert len(found[1]) == 3
    assert name_at(SOURCES, "test.cfg", SCRIPT.index("xlog(")) is None
    assert name_at(SOURCES, "other.cfg", 0) is None


def test_all_names_of_a_script() -> None:
    assert defined(SOURCES) == {
        Name(NAME, "FLAG"),
        Name("$avp", "caller"),
        Name("$avp", "s:who"),
        Name("$var", "count"),
        Name(RouteKind.REQUEST, "RELAY"),
        Name(RouteKind.FAILURE, "BUSY"),
    }


@pytest.mark.parametrize(
    ("name", "new", "reason"),
    [
        (Name(RouteKind.REQUEST, "RELAY"), "OUT", ""),
        (Name(RouteKind.REQUEST, "RELAY"), "12", ""),
        (Name(RouteKind.REQUEST, "RELAY"), "BUSY", ""),
        (Name(RouteKind.REQUEST, "RELAY"), "RELAY", ""),
        (Name(RouteKind.REQUEST, "RELAY"), "a b", "is no name"),
        (Name(NAME, "FLAG"), "12", "is no name"),
        (Name(NAME, "FLAG"), "FL\u00c4GGE", "is no name"),
        (Name(NAME, "FLAG"), "if", "is a word of the language"),
        (Name(RouteKind.REQUEST, "RELAY"), "exit", "is a word of the language"),
        (Name("$var", "count"), "if", ""),
        (Name("$avp", "s:who"), "i:12", ""),
        (Name("$var", "count"), "a b", "is no name"),
    ],
)
def test_new_names(name: Name, new: str, reason: str) -> None:
    if reason:
        with pytest.raises(CannotRename, match=reason):
            check_new_name(SOURCES, name, new)
    else:
        check_new_name(SOURCES, name, new)


def test_a_name_that_is_taken() -> None:
    with pytest.raises(CannotRename, match="another B already"):
        check_new_name({"x": "route[A] {} route[B] {}"}, Name(RouteKind.REQUEST, "A"), "B")


def test_texts_that_are_no_scripts() -> None:
    assert list(names_in("", "x")) == []
    assert [item.name.text for item in names_in('flags = 3 ( ) [ " route [', "x")] == ["flags"]

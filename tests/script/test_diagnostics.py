from __future__ import annotations

from openpy.script.diagnostics import (
    Diagnostic,
    ScriptError,
    Severity,
    closest,
    did_you_mean,
    error,
    in_order,
    render,
    warning,
)
from openpy.script.rules.calls import UNKNOWN_FUNCTION
from openpy.script.rules.routes import UNUSED_ROUTE
from openpy.script.syntax import Position


def at(line: int, column: int, end_line: int, end_column: int) -> Position:
    return Position("a.cfg", line, column, end_line, end_column)


def test_render_shows_place_reason_line_caret_and_hint() -> None:
    text = render(error(UNKNOWN_FUNCTION, at(2, 3, 2, 6), "wrong", "write bar"), "one\n  foo bar\n")
    assert text == "a.cfg:2:3: error[E501]: wrong\n      foo bar\n      ^^^\n    write bar"


def test_render_keeps_tabs_so_that_the_caret_fits() -> None:
    assert (
        render(warning(UNUSED_ROUTE, at(1, 2, 1, 3), "w"), "\tx\r\n")
        == "a.cfg:1:2: warning[W406]: w\n    \tx\n    \t^"
    )


def test_render_marks_to_the_end_of_the_first_line() -> None:
    assert render(error(UNKNOWN_FUNCTION, at(1, 3, 2, 2), "m"), "ab cd\nef").splitlines()[2] == "      ^^^"


def test_render_marks_one_column_behind_the_line() -> None:
    assert render(error(UNKNOWN_FUNCTION, at(1, 3, 1, 3), "m"), "ab").splitlines() == [
        "a.cfg:1:3: error[E501]: m",
        "    ab",
        "      ^",
    ]


def test_render_without_a_line_to_show() -> None:
    assert render(error(UNKNOWN_FUNCTION, at(9, 1, 9, 2), "m"), "ab") == "a.cfg:9:1: error[E501]: m"


def test_lines_are_counted_as_the_parser_counts_them() -> None:
    assert "    b" in render(error(UNKNOWN_FUNCTION, at(2, 1, 2, 2), "m"), "a\x0c\u2028a\nb").splitlines()


def test_script_error_lists_what_was_found() -> None:
    found = [
        error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), "first"),
        error(UNKNOWN_FUNCTION, at(2, 1, 2, 2), "second", "do so"),
    ]
    failure = ScriptError(iter(found))
    assert failure.diagnostics == tuple(found)
    assert str(failure) == "a.cfg:1: first\na.cfg:2: second; do so"


def test_suggestions() -> None:
    assert did_you_mean("sl_send_repli", ["sl_send_reply", "t_reply"]) == 'did you mean "sl_send_reply"?'
    assert did_you_mean("xyz", ["sl_send_reply"]) == ""
    assert (closest("textop", ["textops", "tm"]), closest("x", ["tm"])) == ("textops", "")


def test_code_and_severity_are_those_of_the_rule() -> None:
    found = error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), "m"), warning(UNUSED_ROUTE, at(1, 1, 1, 2), "m")
    assert [(item.code, item.severity) for item in found] == [
        ("E501", Severity.ERROR),
        ("W406", Severity.WARNING),
    ]


def test_diagnostics_are_values() -> None:
    assert error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), "m") == error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), "m")
    assert isinstance(error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), "m"), Diagnostic)


def test_the_script_comes_before_the_files_that_it_includes() -> None:
    places = [
        Position("b", 1, 2, 1, 3),
        Position("a", 9, 1, 9, 2),
        Position("b", 1, 1, 1, 2),
        Position("c", 1, 1, 1, 2),
    ]
    found = in_order([error(UNKNOWN_FUNCTION, place, "m") for place in places], "c")
    assert [(d.position.file, *d.place) for d in found] == [
        ("c", 1, 1),
        ("a", 9, 1),
        ("b", 1, 1),
        ("b", 1, 2),
    ]


def test_of_a_long_line_what_is_around_the_place_is_shown() -> None:
    line = "a" * 1000 + "HERE" + "b" * 1000
    _, shown, carets, _ = render(error(UNKNOWN_FUNCTION, at(1, 1001, 1, 1005), "m", "h"), line).splitlines()
    assert shown.startswith("    ... aaa")
    assert shown.endswith("bbb ...")
    assert len(shown) == 4 + 4 + 200 + 4
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"
    first = render(error(UNKNOWN_FUNCTION, at(1, 1, 1, 2005), "m"), line).splitlines()
    assert first[1] == "    " + "a" * 200 + " ..."
    assert first[2] == "    " + "^" * 200
    last = render(error(UNKNOWN_FUNCTION, at(1, 2005, 1, 2005), "m"), line).splitlines()
    assert len(last[2]) == len(last[1]) + 1


def test_line_ends_and_the_like_are_shown_as_they_are_written() -> None:
    found = error(UNKNOWN_FUNCTION, at(1, 1, 1, 2), 'wrong "a\r\n\tb\x00"', "\x1b[31m")
    assert (found.message, found.hint) == ('wrong "a\\r\\n\\tb\\x00"', "\\x1b[31m")

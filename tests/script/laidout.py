"""Scripts in the one layout, which a second time does not change."""

from __future__ import annotations

from openpy.script.formatting import format_script


def laid_out(text: str) -> str:
    formatted = format_script(text, "t.cfg")
    assert format_script(formatted, "t.cfg") == formatted
    return formatted


def in_route(text: str) -> str:
    """What stands in a route, without the indentation that all of it has."""
    lines = laid_out(f"route {{\n{text}\n}}").split("\n")
    assert lines[0] == "route {"
    assert lines[-2:] == ["}", ""]
    return "\n".join(line.removeprefix("\t") for line in lines[1:-2])

"""Coverage of scripts: what was run is what is told, in each of coverage.py's formats."""

from __future__ import annotations

import json
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import cast
from xml.etree import ElementTree

import pytest
from coverage import Coverage

from openpy.testing.coverage import ScriptPlugin, ScriptReporter, ScriptTracer, coverage_init, is_script
from openpy.testing.script import Script

PLUGIN = "openpy.testing.coverage"

TEXT = """\
loadmodule "sl.so"
loadmodule "textops.so"
# the main route
route {
    if (is_method("OPTIONS")) {
        sl_send_reply("200", "OK");
        exit;
    } else if (is_method("INFO")
        || is_method("MESSAGE")) {
        route(1);
    } else {
        setflag(1);
    }
    if (isflagset(1)) exit;
    switch ($rm) {
        case "INFO": setflag(2); break;
        case "MESSAGE":
            setflag(3);
        default:
            setflag(4);
    }
    $var(i) = 0;
    while ($var(i) < 2) {
        $var(i) = $var(i) + 1;
    }
    if (isflagset(9)) {
        setflag(5);
    }
    sl_send_reply("202",
        "Accepted");
}
route[1] {
    if (!isflagset(7))
        setflag(6);
}
route[2] {
    exit;
}
"""

STATEMENTS = {5, 6, 7, 8, 10, 12, 14, 15, 16, 18, 20, 22, 23, 24, 26, 27, 29, 33, 34, 37}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.cfg"
    path.write_text(TEXT)
    return path


def measured(path: Path, *methods: str) -> Coverage:
    """What coverage.py knows after requests of these methods."""
    coverage = Coverage(data_file=None, config_file=False, branch=True, include=[str(path)])
    coverage.set_option("run:plugins", [PLUGIN])
    coverage.start()
    try:
        with Script(path, folder=path.parent) as script:
            for method in methods:
                script.send(method, "sip:x@127.0.0.1")
    finally:
        coverage.stop()
    return coverage


def told(coverage: Coverage, folder: Path) -> dict[str, list[object]]:
    coverage.json_report(outfile=str(folder / "told.json"))
    (file,) = json.loads((folder / "told.json").read_text())["files"].values()
    return cast("dict[str, list[object]]", file)


@pytest.mark.parametrize(
    ("methods", "missing", "branches"),
    [
        (["OPTIONS"], STATEMENTS - {5, 6, 7}, [[5, 8], [17, 18], [17, 20]]),
        (
            ["INFO"],
            {6, 7, 12, 18, 20, 27, 37},
            [[5, 6], [8, 12], [14, -4], [16, 17], [17, 18], [17, 20], [26, 27], [33, -32]],
        ),
        (
            ["MESSAGE"],
            {6, 7, 12, 16, 27, 37},
            [[5, 6], [8, 12], [14, -4], [17, 20], [26, 27], [33, -32]],
        ),
        (["REFER"], STATEMENTS - {5, 8, 12, 14}, [[5, 6], [8, 10], [14, 15], [17, 18], [17, 20]]),
        (
            ["OPTIONS", "INFO", "MESSAGE", "REFER"],
            {27, 37},
            [[17, 20], [26, 27], [33, -32]],
        ),
    ],
)
def test_lines_and_branches_of_a_script_whose_coverage_is_known(
    path: Path, tmp_path: Path, methods: list[str], missing: set[int], branches: list[list[int]]
) -> None:
    file = told(measured(path, *methods), tmp_path)
    assert set(file["executed_lines"]) == STATEMENTS - missing
    assert set(file["missing_lines"]) == missing
    assert [branch for branch in file["missing_branches"] if branch[0] not in missing] == branches  # type: ignore[index]


def test_the_reports_of_coverage_py(path: Path, tmp_path: Path) -> None:
    coverage = measured(path, "OPTIONS", "INFO")
    share = coverage.html_report(directory=str(tmp_path / "html"))
    coverage.xml_report(outfile=str(tmp_path / "x.xml"))
    coverage.lcov_report(outfile=str(tmp_path / "x.lcov"))
    (page,) = (tmp_path / "html").glob("*x_cfg.html")
    text = page.read_text()
    assert "line 26 never went on to line 27" in text
    assert "line 14 never left the route" in text
    assert '<span class="com"># the main route</span>' in text
    lines = ElementTree.parse(tmp_path / "x.xml").getroot().iter("line")
    found = {int(line.attrib["number"]): line.attrib for line in lines}
    assert set(found) == STATEMENTS
    assert found[5]["condition-coverage"] == "100% (2/2)"
    assert found[26]["missing-branches"] == "27"
    assert f"LF:{len(STATEMENTS)}" in (tmp_path / "x.lcov").read_text()
    assert 60 < share < 75


@pytest.mark.parametrize("depth", [2, 13, 14, 20])
def test_however_deep_blocks_are_nested_or_long_a_chain_is(tmp_path: Path, depth: int) -> None:
    deep = "".join(f'if (method != "A{number}") {{\n' for number in range(depth))
    chain = "\nelse ".join(f'if (method == "B{number}")\nsetflag({number});' for number in range(20))
    path = tmp_path / "deep.cfg"
    path.write_text(
        f"route {{\n{deep}setflag(1);\nif (isflagset(2))\nsetflag(3);\n{'}' * depth}\n{chain}\n}}\n"
    )
    file = told(measured(path, "B3"), tmp_path)
    first = depth + 6
    run = {*range(2, depth + 4), *range(first, first + 8, 2), first + 7}
    assert set(file["executed_lines"]) == run
    gone = list(file["executed_branches"])
    assert [first + 6, first + 7] in gone
    assert [first + 4, first + 6] in gone
    assert [depth + 3, depth + 4] not in gone
    assert [2, 3] not in file["missing_branches"]
    assert [2, first] in file["missing_branches"]
    assert [first + 6, first + 8] in file["missing_branches"]


def test_a_script_that_never_runs_is_found_and_what_is_none_is_not(path: Path, tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = x\n")
    (tmp_path / "empty.cfg").write_text("debug=3\n")
    plugin = ScriptPlugin((".cfg",))
    assert plugin.find_executable_files(str(tmp_path)) == [str(path)]
    assert plugin.file_tracer(str(tmp_path / "setup.cfg")) is None
    assert plugin.file_tracer("/nowhere.cfg") is None
    assert plugin.file_tracer(__file__) is None
    assert isinstance(plugin.file_tracer(str(path)), ScriptTracer)
    assert isinstance(plugin.file_reporter(str(path)), ScriptReporter)
    assert is_script(str(path))


def test_names_may_end_in_something_else(path: Path) -> None:
    added: list[ScriptPlugin] = []
    registry = SimpleNamespace(add_file_tracer=added.append)
    coverage_init(registry, {"suffixes": ".conf .inc"})  # type: ignore[arg-type]
    other = path.rename(path.with_suffix(".conf"))
    assert added[0].find_executable_files(str(other.parent)) == [str(other)]
    added[0].configure(Coverage(data_file=None))


def test_a_line_belongs_to_the_statement_that_it_continues(path: Path) -> None:
    tracer = ScriptTracer(str(path))
    assert tracer.source_filename() == str(path)

    def lines(number: int) -> tuple[int, int]:
        return tracer.line_number_range(cast(FrameType, SimpleNamespace(f_lineno=number)))

    assert (lines(30), lines(9), lines(4)) == ((29, 29), (8, 8), (-1, -1))


def test_what_a_report_is_told(path: Path) -> None:
    path.write_bytes(b"# caf\xe9\n" + TEXT.encode())
    reporter = ScriptReporter(str(path))
    assert reporter.source().startswith("# caf\\xe9\n")
    assert next(iter(reporter.source_token_lines())) == [("com", "# caf\\xe9")]
    assert reporter.lines() == {line + 1 for line in STATEMENTS}
    assert (6, 9) in reporter.arcs()
    assert reporter.translate_arcs([(6, 6), (6, 9)]) == {(6, 9)}
    assert reporter.exit_counts()[6] == 2
    assert reporter.arc_description(6, 9) == "went on to line 9"
    assert reporter.missing_arc_description(6, -5) == "line 6 never left the route"
    regions = {region.name: region.lines for region in reporter.code_regions()}
    assert regions["route[2]"] == {38}
    assert reporter.code_region_kinds() == [("route", "routes")]

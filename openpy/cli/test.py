"""`openpy test`: runs the tests of scripts with pytest, and measures which lines and branches of scripts they run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coverage import Coverage

PLUGIN = "openpy.testing.plugin"
COVERAGE_PLUGIN = "openpy.testing.coverage"

KNOWN_BEFORE = (
    "ignore:Module already imported so cannot be rewritten; openpy:pytest.PytestAssertRewriteWarning"
)
"""A filter: pytest finds our plug-in's package imported, by this command; as an error it would end every run."""

MISSING = 4
"""The exit status where pytest is not installed: pytest's own for a wrong command line."""

USAGE = """usage: openpy test [FOLDER or FILE ...] [--cov] [--cov-report FORMAT[:TARGET] ...] [options of pytest]
  --cov                measure the lines and branches of scripts that the tests run
  --cov-report FORMAT  text (default), html, xml, json or lcov; with :TARGET, the file or folder that is written
  -h, --help           this text; `openpy test -- --help` shows the options of pytest
Exit status: pytest's; 0 all tests passed, 1 some failed, 5 there are none."""

FORMATS = ("text", "html", "xml", "json", "lcov")


def main(arguments: Sequence[str]) -> int:
    """Run the tests; returns pytest's exit status."""
    rest, reports, measured = _taken_apart(arguments)
    if rest[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    wanted = [report for report in reports if report.partition(":")[0] not in FORMATS]
    if wanted:
        print(f"openpy test: --cov-report {wanted[0]}: write one of {', '.join(FORMATS)}", file=sys.stderr)
        return MISSING
    missing = [name for name in ("pytest", *["coverage"] * measured) if find_spec(name) is None]
    if missing:
        print(f'openpy test needs {missing[0]}: pip install "openpy[testing]"', file=sys.stderr)
        return MISSING
    import pytest

    options = ["-p", PLUGIN, "-W", KNOWN_BEFORE, *(word for word in rest if word != "--")]
    if not measured:
        return int(pytest.main(options))
    with _measured(reports or ["text"]):
        return int(pytest.main(options))


def _taken_apart(arguments: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """What is pytest's, the reports of coverage that are wanted, and whether it is measured."""
    rest: list[str] = []
    reports: list[str] = []
    words = iter(arguments)
    measured = False
    for word in words:
        if word == "--cov":
            measured = True
        elif word == "--cov-report":
            reports.append(next(words, ""))
        elif word.startswith("--cov-report="):
            reports.append(word.partition("=")[2])
        else:
            rest.append(word)
    return rest, reports, measured or bool(reports)


@contextmanager
def _measured(reports: Sequence[str]) -> Iterator[None]:
    """Measure the scripts that run, and nothing else, whatever a project measures of its own code."""
    from coverage import Coverage
    from coverage.exceptions import NoDataError

    measure = Coverage(config_file=False, branch=True, include=["*.cfg"])
    measure.set_option("run:plugins", [COVERAGE_PLUGIN])
    measure.set_option("run:disable_warnings", ["no-data-collected"])
    measure.start()
    try:
        yield
    finally:
        measure.stop()
        measure.save()
    try:
        for report in reports:
            _report(measure, *report.split(":", 1))
    except NoDataError:
        print("openpy test: no script was loaded, so there is nothing to report", file=sys.stderr)


def _report(measure: Coverage, form: str, target: str | None = None) -> None:
    """Write one report. Raises NoDataError if nothing was measured."""
    match form:
        case "html":
            measure.html_report(directory=target)
        case "xml":
            measure.xml_report(outfile=target)
        case "json":
            measure.json_report(outfile=target)
        case "lcov":
            measure.lcov_report(outfile=target)
        case _:
            measure.report(show_missing=True)

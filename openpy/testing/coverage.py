"""A plug-in of coverage.py that measures scripts: `plugins = openpy.testing.coverage` in its configuration.

The code that a script is compiled to has the script's own file and lines, so there is nothing to translate: the plug-in
says which files are scripts, which of their lines can run, and which ways lead from one to another. It works wherever
scripts run under coverage.py: in tests, or in a whole server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from coverage.plugin import CodeRegion, CoveragePlugin, FileReporter, FileTracer
from coverage.plugin_support import Plugins
from coverage.types import TArc, TConfigurable, TSourceTokenLines

from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse
from openpy.testing.lines import ScriptLines
from openpy.testing.routes import label

SUFFIXES = ".cfg"
"""What the names of scripts end in, unless the option `suffixes` lists others."""


def coverage_init(registry: Plugins, options: dict[str, str]) -> None:
    """Called by coverage.py; `options` are those of its section [openpy.testing.coverage]."""
    registry.add_file_tracer(ScriptPlugin(tuple(options.get("suffixes", SUFFIXES).split())))


class ScriptPlugin(CoveragePlugin):
    """Finds scripts, and says who traces and reports them."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        self._suffixes = suffixes

    def file_tracer(self, filename: str) -> FileTracer | None:
        """Who traces a file whose code runs; None: it is no script."""
        return ScriptTracer(filename) if filename.endswith(self._suffixes) and is_script(filename) else None

    def file_reporter(self, filename: str) -> FileReporter:
        """Who reports a script."""
        return ScriptReporter(filename)

    def find_executable_files(self, src_dir: str) -> Iterable[str]:
        """The scripts in a folder, so that one that never runs is reported too."""
        files = sorted(path for path in Path(src_dir).rglob("*") if path.name.endswith(self._suffixes))
        return [str(path) for path in files if is_script(str(path))]

    def configure(self, config: TConfigurable) -> None:
        """Nothing is to be changed."""


class ScriptTracer(FileTracer):
    """Says which line of a script is running."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._lines = lines_of(filename)

    def source_filename(self) -> str:
        """The script."""
        return self._filename

    def line_number_range(self, frame: FrameType) -> tuple[int, int]:
        """The line where the statement began that runs; (-1, -1) where it is none."""
        line = self._lines.begin_of(frame.f_lineno)
        return (-1, -1) if line is None else (line, line)


class ScriptReporter(FileReporter):
    """Says what could have run."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self._lines = lines_of(filename)

    def source(self) -> str:
        """The text of the script; bytes that are no UTF-8 are shown as such."""
        return Path(self.filename).read_bytes().decode("utf-8", "backslashreplace")

    def lines(self) -> set[int]:
        """The lines that can run."""
        return self._lines.lines

    def arcs(self) -> set[TArc]:
        """The ways between them."""
        return self._lines.ways

    def translate_arcs(self, arcs: Iterable[TArc]) -> set[TArc]:
        """The ways that were taken, as they stand among `arcs`."""
        return self._lines.completed(arcs)

    def exit_counts(self) -> dict[int, int]:
        """How many ways lead out of each line."""
        return self._lines.exits()

    def missing_arc_description(
        self, start: int, end: int, executed_arcs: Iterable[TArc] | None = None
    ) -> str:
        """A way that was not taken, in words."""
        return f"line {start} never {self._verb(end)}"

    def arc_description(self, start: int, end: int) -> str:
        """A way in words."""
        return self._verb(end)

    def source_token_lines(self) -> TSourceTokenLines:
        """The text, line by line; comments are told from the rest."""
        for line in self.source().splitlines():
            is_comment = line.lstrip().startswith("#")
            yield [("com" if is_comment else "txt", line)]

    def code_regions(self) -> Iterator[CodeRegion]:
        """The routes."""
        for route, lines in self._lines.routes:
            yield CodeRegion("route", label(route), route.position.line, lines)

    def code_region_kinds(self) -> list[tuple[str, str]]:
        """Routes are what a script consists of."""
        return [("route", "routes")]

    @staticmethod
    def _verb(end: int) -> str:
        return f"went on to line {end}" if end > 0 else "left the route"


def is_script(filename: str) -> bool:
    """Whether a file is a script with routes in it, and without mistakes."""
    try:
        return bool(lines_of(filename).routes)
    except (OSError, ScriptError):
        return False


def lines_of(filename: str) -> ScriptLines:
    """The lines of a script. Raises OSError, ScriptError."""
    return ScriptLines(parse(Path(filename).read_bytes(), filename).script)

"""diversion: its declaration."""

from __future__ import annotations

from openpy.engine.checks import one_line
from openpy.engine.module import Effect, Format, Module, Param, RouteKind, script_function
from openpy.engine.run import Run

ROUTES = frozenset({RouteKind.REQUEST, RouteKind.FAILURE})


class Diversion(Module):
    """Tells whom a call was for before it was diverted (RFC 5806).

    The voicemail wants to know whose calls it takes:

        failure_route[1] {
            if (!t_check_status("408|480")) exit;
            add_diversion("no-answer");
            $rd = "voicemail.example.com";
            append_branch();
            t_relay();
        }
        route { t_on_failure("1"); t_relay(); }
    """

    name = "diversion"

    suffix = Param(str, "", "Stands at the end of the header: `;privacy=full`", check=one_line)

    @script_function(routes=ROUTES, effect=Effect.NONE)
    def add_diversion(self, run: Run, reason: Format) -> int:
        """Put a Diversion with the received Request-URI and this reason on top of others; -1 for a bad reason."""
        text = reason(run)
        if (
            not text
            or not text.isprintable()
            or any(character in '<>";,' or character == " " for character in text)
        ):
            return -1
        line = f"Diversion: <{run.request.uri}>;reason={text}{self.suffix}\r\n"
        if run.request.has("Diversion"):
            run.edits.insert_header(line, "Diversion")
        else:
            run.edits.append_header(line)
        return 1

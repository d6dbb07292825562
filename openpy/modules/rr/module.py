"""rr: record routing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from openpy.engine.checks import switch
from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Format,
    Function,
    Module,
    Param,
    Refusal,
    Regex,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run
from openpy.engine.services import Services
from openpy.modules.rr.following import follow, goes_down, route_param, route_params
from openpy.modules.rr.recording import add_params, is_safe, record

REQUEST_BRANCH_FAILURE = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.FAILURE})
NO_TAG = Refusal("the From tag is not in Record-Route", 'modparam("rr", "append_fromtag", 1) puts it there')


@dataclass(frozen=True, slots=True)
class DirectionKind:
    """`downstream` or `upstream`; converted to whether it is downstream."""

    description: str = "downstream or upstream"

    def convert(self, text: str, environment: Any) -> bool:
        """Convert; raises ArgumentError."""
        if text.lower() not in ("downstream", "upstream"):
            raise ArgumentError(f'unknown direction "{text}": there are downstream and upstream')
        return text.lower() == "downstream"


class Rr(Module):
    """Stays in the path of a dialog, and follows the Routes of its requests.

    The request that begins a dialog is recorded, those that follow come along and know their way:

        if (loose_route()) { t_relay(); exit; }
        if (is_method("INVITE|SUBSCRIBE")) record_route();
        t_relay();
    """

    name = "rr"
    can_join = True

    enable_full_lr = Param(
        int, 0, "1: `;lr=on` instead of `;lr`, for phones that drop a parameter without value", check=switch
    )
    append_fromtag = Param(
        int,
        1,
        "1: the From tag is put into Record-Route, which is_direction needs",
        reload=True,
        check=switch,
    )
    enable_double_rr = Param(
        int,
        1,
        "1: two Record-Routes where a request leaves by another socket or transport than it came by",
        reload=True,
        check=switch,
    )
    add_username = Param(
        int, 0, "1: the user of the Request-URI is put into Record-Route", reload=True, check=switch
    )

    def functions(self) -> Iterator[Function]:
        """All script functions; is_direction reads what append_fromtag writes."""
        for function in super().functions():
            if function.name == "is_direction" and not self.append_fromtag:
                function = replace(function, refusal=NO_TAG)
            yield function

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.on_routed: list[Callable[[Run], None]] = []
        """Called for each request whose first Route was ours, once loose_route has taken that off."""

    # --- recording --------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST_BRANCH_FAILURE, effect=Effect.NONE)
    def record_route(self, run: Run, params: Format | None = None) -> int:
        """Put our Record-Route on the request; -1 if there is one already. `params` stand behind ours: `;n=v`."""
        return self._record(run, "", params)

    @script_function(routes=REQUEST_BRANCH_FAILURE, effect=Effect.NONE)
    def record_route_preset(self, run: Run, host: Format) -> int:
        """The same with this host[:port] in place of ours, whatever it is."""
        text = host(run)
        return self._record(run, text, None) if text and is_safe(text) else -1

    @script_function(routes=REQUEST_BRANCH_FAILURE, effect=Effect.NONE)
    def add_rr_param(self, run: Run, params: Format) -> int:
        """Add `;n=v` to our Record-Route, or to the one that the script will put."""
        text = params(run)
        if not text.startswith(";") or not is_safe(text):
            return -1
        return add_params(run, text)

    def _record(self, run: Run, host: str, params: Format | None) -> int:
        return record(
            run,
            host,
            params(run) if params is not None else "",
            full_lr=bool(self.enable_full_lr),
            from_tag=bool(self.append_fromtag),
            username=bool(self.add_username),
            pairs=bool(self.enable_double_rr),
        )

    # --- routing ----------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def loose_route(self, run: Run) -> int:
        """Follow the Routes of the request: 1; -1 where there are none, or only ours from before the dialog."""
        return follow(run, self.on_routed)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def check_route_param(self, run: Run, pattern: Regex) -> int:
        """Whether the parameters of our Route that loose_route took off match; -1 where no Route was ours.

        So `loose_route() && check_route_param("lr")` follows only who names this server first. That is no proof of
        a dialog: whoever makes up a To tag can make up our Route too, but for a parameter that nobody can guess.
        """
        return 1 if pattern.search(route_params(run)) else -1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def is_direction(self, run: Run, is_downstream: Annotated[bool, DirectionKind()]) -> int:
        """Whether the request goes from who began the dialog (downstream) or to it, once loose_route gave 1."""
        return 1 if goes_down(run) is is_downstream else -1

    # --- for other modules ------------------------------------------------------------------------------------

    def add_params(self, run: Run, text: str) -> int:
        """Add parameters to our Record-Route for this message, now or when there is one; -1 where they are too long."""
        return add_params(run, text)

    def route_param(self, run: Run, name: str) -> str | None:
        """A parameter of our Route that loose_route took off; `name` is in lower case."""
        return route_param(run, name)

    def goes_down(self, run: Run) -> bool:
        """Whether a request goes from who began the dialog; also where nothing is known of it."""
        return goes_down(run)

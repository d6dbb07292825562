"""uac_redirect: its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from openpy.engine.checks import identifier
from openpy.engine.corebranches import append_branch
from openpy.engine.module import (
    ArgumentError,
    Effect,
    Environment,
    Function,
    Module,
    Param,
    Regex,
    RouteKind,
    script_function,
)
from openpy.engine.run import Run
from openpy.modules.acc.module import Acc
from openpy.modules.acc.records import Comment, read_comment
from openpy.modules.tm.api import TmApi, context_of
from openpy.modules.uac_redirect.contacts import Limits, LimitsKind, contacts_of
from openpy.modules.uac_redirect.filters import FilterKind, Filters, Reset, ResetKind

FAILURE = frozenset({RouteKind.FAILURE})
ACCEPT, DENY = "uac_redirect accept", "uac_redirect deny"
"""What is noted with a request: the filters that its script has changed."""

LOG, ROW = "acc_log_request", "acc_db_request"

Filter = Annotated[Regex | None, FilterKind()]
Resets = Annotated[Reset, ResetKind()]


def _word(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ArgumentError(f'"{text}" is none of {", ".join(words)}')
    return text


@dataclass(frozen=True, slots=True)
class ReasonKind:
    """What is accounted of a redirection, `[code ]reason`; `module` says whether it can be."""

    module: UacRedirect | None = None
    description: str = "what to account, such as 302 moved"

    def convert(self, text: str, environment: Any) -> Comment:
        """Convert; raises ArgumentError."""
        if self.module is not None:
            self.module.need_accounting()
        return read_comment(text)


class UacRedirect(Module):
    """Follows redirections instead of passing them on: their contacts become branches.

    Filters say which are followed, in parameters or for one request:

        modparam("uac_redirect", "deny_filter", "^sip:0900")
        route { t_on_failure("1"); t_relay(); }
        failure_route[1] {
            if (t_check_status("30[12]") && get_redirects("3:1")) t_relay();
        }
    """

    name = "uac_redirect"
    needs = ("tm",)

    default_filter = Param(
        str,
        "accept",
        "accept or deny: what becomes of a contact that no filter matches",
        check=partial(_word, ("accept", "deny")),
    )
    deny_filter = Param(str, "", "A regular expression: contacts that are not followed")
    accept_filter = Param(str, "", "A regular expression: contacts that are followed in any case")
    acc_function = Param(
        str,
        LOG,
        "acc_log_request or acc_db_request: how get_redirects accounts where it has a reason",
        check=partial(_word, (LOG, ROW)),
    )
    acc_db_table = Param(str, "acc", "The table for acc_db_request", check=identifier)

    _deny: Regex | None = None
    _accept: Regex | None = None
    _acc: Acc | None = None

    def check(self) -> None:
        """Find tm."""
        tm = self.services.module("tm")
        assert tm is not None
        self._tm: TmApi = tm.bind()

    def prepare(self, environment: Environment) -> None:
        """Compile the filters."""
        kind = FilterKind()
        self._deny = kind.convert(self.deny_filter, environment)
        self._accept = kind.convert(self.accept_filter, environment)

    def need_accounting(self) -> None:
        """The script wants redirections accounted; raises ArgumentError where acc is not loaded."""
        acc = self.services.module("acc")
        if not isinstance(acc, Acc):
            raise ArgumentError('a reason is accounted, which needs acc: loadmodule "acc.so"')
        self._acc = acc
        if self.acc_function == ROW:
            acc.use_table(self.acc_db_table)

    # --- functions --------------------------------------------------------------------------------------------

    def functions(self) -> Iterator[Function]:
        """All script functions; a reason needs acc."""
        for function in super().functions():
            if function.name == "get_redirects":
                limits, reason = function.parameters
                function = replace(function, parameters=(limits, replace(reason, kind=ReasonKind(self))))
            yield function

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def set_deny_filter(self, run: Run, pattern: Filter, reset: Resets) -> int:
        """Do not follow contacts that match, for this request; -1 if there are six already.

        Before that `reset_default` takes away the filter of the parameter, `reset_added` those of the script, and
        `reset_all` both.
        """
        return 1 if self._filters(run, DENY).change(pattern, reset) else -1

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def set_accept_filter(self, run: Run, pattern: Filter, reset: Resets) -> int:
        """The same: follow contacts that match in any case."""
        return 1 if self._filters(run, ACCEPT).change(pattern, reset) else -1

    @script_function(routes=FAILURE, effect=Effect.NONE)
    def get_redirects(
        self,
        run: Run,
        limits: Annotated[Limits, LimitsKind()],
        reason: Annotated[Comment, ReasonKind()] | None = None,
    ) -> int:
        """Append the contacts of all redirections as branches, best first; -1 if there are none to follow.

        `"3:1"`: three at most, and one of each reply. With a reason each is accounted. What a branch went to already
        is not followed.
        """
        accept, deny = self._filters(run, ACCEPT), self._filters(run, DENY)
        for name in (ACCEPT, DENY):
            run.state.notes.pop(name, None)
        count = 0
        for uri, q in self._found(run, limits, accept, deny):
            if append_branch(run, uri, q) < 0:
                break
            count += 1
            if reason is not None and self._acc is not None:
                self._account(run, self._acc, uri, reason)
        return 1 if count else -1

    def _found(self, run: Run, limits: Limits, accept: Filters, deny: Filters) -> Iterator[tuple[str, int]]:
        context = context_of(run)
        taken: dict[str, None] = {}
        for branch in self._tm.failed(run):
            response = branch.response
            if response is None or not 300 <= branch.status < 400:
                continue
            of_this = 0
            for uri, q in contacts_of(response):
                if limits.total and len(taken) >= limits.total:
                    return
                if limits.each and of_this >= limits.each:
                    break
                is_known = uri in taken or (context is not None and context.has_tried(uri))
                if not is_known and self._follows(run, uri, accept, deny):
                    of_this += 1
                    taken[uri] = None
                    yield uri, q

    def _follows(self, run: Run, uri: str, accept: Filters, deny: Filters) -> bool:
        if accept.match(uri):
            return True
        is_less_secure = _is_secure(run.request.uri) and not _is_secure(uri)
        return not (is_less_secure or deny.match(uri)) and self.default_filter == "accept"

    def _filters(self, run: Run, name: str) -> Filters:
        default = self._accept if name == ACCEPT else self._deny
        found: Filters = run.state.notes.setdefault(name, Filters(default))
        return found

    def _account(self, run: Run, acc: Acc, uri: str, reason: Comment) -> None:
        """Account a contact as if the request went to it already."""
        state = run.state
        before, state.uri = state.uri, uri
        acc.account(run, reason, self.acc_db_table if self.acc_function == ROW else None)
        state.uri = before


def _is_secure(uri: str) -> bool:
    return uri[:5].lower() == "sips:"

"""uac: its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openpy.engine.module import (
    REQUEST,
    ArgumentError,
    Effect,
    Format,
    Function,
    Module,
    ModuleError,
    Param,
    RouteKind,
    script_function,
)
from openpy.engine.named import NamedAvp, avp_written
from openpy.engine.run import Run
from openpy.modules.rr.module import Rr
from openpy.modules.tm.api import TmApi
from openpy.modules.uac.credentials import Answered, Credential, answer, read_credential
from openpy.modules.uac.identity import pack, put, rewritten, unpack
from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_name_addr
from openpy.sip.uri import cached_uri

NONE, MANUAL, AUTO = "none", "manual", "auto"

ANSWERED = "uac answered"
"""What is noted with a request: the challenges that were answered."""


def _mode(text: str) -> str:
    if text not in (NONE, MANUAL, AUTO):
        raise ArgumentError(f'"{text}" is none of {NONE}, {MANUAL}, {AUTO}')
    return text


def _token(text: str) -> str:
    if not text.isascii() or not text.replace("_", "").replace("-", "").isalnum():
        raise ArgumentError(f'"{text}" cannot be a parameter of Record-Route')
    return text


class Uac(Module):
    """Acts in the name of the caller: replaces its From, and answers challenges for it.

    What was replaced travels in Record-Route, so that each side sees one caller as long as the dialog lasts.

        modparam("uac", "credential", "alice:provider.example:secret")
        route {
            if (loose_route()) { t_relay(); exit; }
            record_route();
            uac_replace_from("Alice", "sip:alice@provider.example");
            t_on_failure("1");
            t_relay();
        }
        failure_route[1] {
            if (t_check_status("40[17]") && uac_auth()) { append_branch(); t_relay(); }
        }
    """

    name = "uac"
    needs = ("tm",)

    rr_store_param = Param(
        str, "vsf", "The parameter of Record-Route that keeps the From that was replaced", check=_token
    )
    from_restore_mode = Param(
        str,
        AUTO,
        "auto: replies and requests of the dialog show to each side what it knows; manual: replies, and requests by "
        "uac_restore_from; none: nothing is kept",
        check=_mode,
    )
    from_passwd = Param(str, "", "Makes what Record-Route keeps unreadable for others")
    credential: Param[Any] = Param(
        str,
        [],
        "username:realm:password, for uac_auth; may be repeated",
        repeat=True,
        check=read_credential,
    )
    auth_realm_avp = Param(str, "", "An AVP with a realm, for uac_auth", check=avp_written)
    auth_username_avp = Param(str, "", "An AVP with the user name for it", check=avp_written)
    auth_password_avp = Param(str, "", "An AVP with the password for it", check=avp_written)

    _rr: Rr | None = None

    def requirements(self) -> tuple[str, ...]:
        """rr, which keeps the From, unless nothing is kept."""
        return self.needs if self.from_restore_mode == NONE else (*self.needs, "rr")

    def check(self) -> None:
        """Find tm and rr; raises ModuleError."""
        avps = (self.auth_realm_avp, self.auth_username_avp, self.auth_password_avp)
        if any(avps) and not all(avps):
            raise ModuleError(
                "uac: partial definition of auth AVP!",
                "set all of auth_realm_avp, auth_username_avp and auth_password_avp, or none",
            )
        self._avps = tuple(map(NamedAvp, avps)) if all(avps) else ()
        tm = self.services.module("tm")
        assert tm is not None
        self._tm: TmApi = tm.bind()
        if self.from_restore_mode == NONE:
            return
        rr = self.services.module("rr")
        assert isinstance(rr, Rr)
        self._rr = rr
        if self.from_restore_mode == AUTO:
            if not rr.append_fromtag:
                raise ModuleError(
                    "uac: from_restore_mode auto needs the From tag in Record-Route",
                    'write modparam("rr", "append_fromtag", 1), or from_restore_mode manual',
                )
            rr.on_routed.append(self._routed)

    # --- From -------------------------------------------------------------------------------------------------

    def functions(self) -> Iterator[Function]:
        """All script functions; uac_replace_from takes a URI, or a display name and a URI."""
        for function in super().functions():
            if function.name == "uac_replace_from":
                yield replace(function, parameters=function.parameters[1:], call=self._replace_uri)
            yield function

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def uac_replace_from(self, run: Run, display: Format, uri: Format) -> int:
        """Send on with another From: a display name, which is put into quotes ("" for none), and a URI ("": keep it).

        With a URI alone the display name is kept. -1 for a URI that is none, in a dialog (mode auto), and if it was
        replaced already. Call it before record_route or after; without that the dialog is not followed.
        """
        return self._replace(run, display(run), uri(run))

    def _replace_uri(self, run: Run, uri: Format) -> int:
        return self._replace(run, None, uri(run))

    def _replace(self, run: Run, display: str | None, uri: str) -> int:
        request = run.request
        try:
            if uri:
                cached_uri(uri)
            if self.from_restore_mode == AUTO and request.to.tag:
                return -1
            value = rewritten(request.from_, display, uri)
            parse_name_addr(value)
            before = request.from_.uri_text
        except RemoteError:
            return -1
        if not value.isprintable():
            return -1
        if not put(run, "From", value, gives_back=self.from_restore_mode != NONE):
            return -1
        if self._rr is not None and uri and uri != before:
            kept = pack(before, uri, self.from_passwd)
            return self._rr.add_params(run, f";{self.rr_store_param}={kept}")
        return 1

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def uac_restore_from(self, run: Run) -> int:
        """In a request of the dialog: exchange the URI of From for the other one that our Route keeps; -1 without."""
        return self._exchange(run, "From")

    def _routed(self, run: Run) -> None:
        """A request of a dialog came along: it shows to each side what that knows."""
        if self._rr is not None and run.request.to.tag:
            self._exchange(run, "From" if self._rr.goes_down(run) else "To")

    def _exchange(self, run: Run, name: str) -> int:
        kept = self._rr.route_param(run, self.rr_store_param.lower()) if self._rr is not None else None
        if not kept:
            return -1
        try:
            address = run.request.from_ if name == "From" else run.request.to
            other = unpack(kept, address.uri_text, self.from_passwd)
            value = rewritten(address, None, other or "")
        except RemoteError:
            return -1
        if other is None:
            run.warn(f"{self.rr_store_param} in Route does not belong to the {name} of this request")
            return -1
        return 1 if put(run, name, value) else -1

    # --- challenges -------------------------------------------------------------------------------------------

    @script_function(routes=frozenset({RouteKind.FAILURE}), effect=Effect.NONE)
    def uac_auth(self, run: Run) -> int:
        """Answer the challenge of the winning 401 or 407; -1 where there is none, or no credentials for its realm.

        Challenges that were answered before for the same request are answered again: a proxy's, then the server's
        behind it. The Request-URI is that of the branch. The script sends it: `append_branch(); t_relay();`. The CSeq
        stays.
        """
        winner = self._tm.winner(run)
        if winner is None or winner.response is None:
            return -1
        answered: Answered = run.state.notes.setdefault(ANSWERED, {})
        lines = answer(
            winner.response,
            run.request.method,
            winner.uri,
            self._credentials(run),
            answered,
            self.services.token,
        )
        if not lines:
            return -1
        run.edits.append_header(lines)
        run.state.uri = winner.uri
        return 1

    def _credentials(self, run: Run) -> dict[str, Credential]:
        """By realm; those of the AVPs come first."""
        found = {item.realm: item for item in reversed(self.credential)}
        if self._avps:
            realm, username, password = (str(avp.read(run) or "") for avp in self._avps)
            if realm and username:
                found[realm] = Credential(username, realm, password)
        return found

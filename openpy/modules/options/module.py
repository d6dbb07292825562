"""options: what this server can do, for who asks."""

from __future__ import annotations

from openpy.engine.checks import one_line
from openpy.engine.module import REQUEST, Effect, Module, Param, script_function
from openpy.engine.run import Run
from openpy.modules.sl.module import Sl
from openpy.sip.errors import RemoteError
from openpy.sip.uri import cached_uri

METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, MESSAGE, INFO, UPDATE, PRACK, REFER"


class Options(Module):
    """Answers OPTIONS that are for the server itself (RFC 3261 section 11).

    Those for a user are left to the script:

        if (is_method("OPTIONS") && uri == myself) options_reply();
    """

    name = "options"
    needs = ("sl",)

    accept = Param(str, "*/*", "The value of Accept", check=one_line)
    accept_encoding = Param(str, "", "The value of Accept-Encoding, which may be empty", check=one_line)
    accept_language = Param(str, "en", "The value of Accept-Language", check=one_line)
    support = Param(str, "", "The value of Supported, which may be empty", check=one_line)
    allow = Param(str, METHODS, "The value of Allow; empty: no such header, as in 1.3", check=one_line)
    allow_events = Param(
        str,
        "",
        "The value of Allow-Events; empty: the events that presence serves, if it is loaded",
        check=one_line,
    )

    def check(self) -> None:
        """Find sl."""
        sl = self.services.module("sl")
        assert isinstance(sl, Sl)
        self._sl = sl

    @script_function(routes=REQUEST, effect=Effect.ANSWERS)
    def options_reply(self, run: Run) -> int:
        """Answer 200 and end the script; -1 where it is no OPTIONS, or its Request-URI has a user."""
        try:
            is_ours = run.request.method == "OPTIONS" and not cached_uri(run.uri).user
        except RemoteError:
            return -1
        if not is_ours:
            return -1
        self._sl.send_reply(run, 200, "OK", self._headers())
        return 0

    def _headers(self) -> str:
        fixed = (
            ("Accept", self.accept),
            ("Accept-Encoding", self.accept_encoding),
            ("Accept-Language", self.accept_language),
            ("Supported", self.support),
        )
        optional = (("Allow", self.allow), ("Allow-Events", self.allow_events or self._events()))
        lines = (*fixed, *(pair for pair in optional if pair[1]))
        return "".join(f"{name}: {value}\r\n" for name, value in lines)

    def _events(self) -> str:
        presence = self.services.module("presence")
        events = getattr(presence.bind(), "get_event_list", None) if presence is not None else None
        return str(events()) if events is not None else ""

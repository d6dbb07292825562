"""auth: challenges, nonces, and the check of a digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from openpy.engine.checks import one_line, positive, switch
from openpy.engine.module import (
    REQUEST,
    Counter,
    Effect,
    Format,
    Function,
    Module,
    Param,
    Refusal,
    RouteKind,
    Text,
    script_function,
)
from openpy.engine.named import NamedAvp, avp_written, variable
from openpy.engine.run import Run
from openpy.modules.auth.api import HEADER, USER_UNKNOWN, AuthApi
from openpy.modules.auth.challenges import PROXY, WWW, QopKind, Side, algorithms_in
from openpy.modules.auth.counts import NonceCounts
from openpy.modules.auth.nonces import Nonces
from openpy.modules.auth.rpid import header_of, is_e164
from openpy.modules.sl.module import Sl
from openpy.sip.places import header_lines

REQUEST_BRANCH_FAILURE = frozenset({RouteKind.REQUEST, RouteKind.BRANCH, RouteKind.FAILURE})

Qop = Annotated[tuple[str, ...], QopKind()]


def _algorithms(text: str) -> str:
    algorithms_in(text)
    return text


def _variable_written(text: str) -> str:
    if text:
        variable(text)
    return text


def _nothing(run: Run) -> None:
    return None


class Auth(Module):
    """Digest authentication (RFC 2617, RFC 7616, RFC 8760), for modules that know passwords, such as auth_db.

    `algorithms` says what is offered, one challenge for each: `modparam("auth", "algorithms", "SHA-256,MD5")`. Weaker
    answers than were offered are refused.

    Requests that count (`qop`) may use a nonce once for each count, others (`qop` 0) may use it once: what comes again
    is refused as stale, and clients repeat it with a new nonce by themselves. Retransmissions are none of these.
    Servers that share a `secret` take each other's nonces; what one has seen the others do not know.

    With a password that the script knows (auth_db looks it up in a table):

        modparam("auth", "username_spec", "$avp(s:user)")
        modparam("auth", "password_spec", "$avp(s:password)")
        modparam("auth", "calculate_ha1", 1)
        route {
            $avp(s:user) = "gateway";
            $avp(s:password) = "secret";
            if (!pv_proxy_authorize("example.com")) { proxy_challenge("example.com", "1"); exit; }
            consume_credentials();
            t_relay();
        }
    """

    name = "auth"
    needs = ("sl",)

    secret = Param(str, "", "What nonces are made with; unset: random at each start. Servers may share one")
    nonce_expire = Param(int, 300, "Seconds that a nonce is good for", check=positive)
    rpid_prefix = Param(str, "", "What append_rpid_hf writes before the value", check=one_line)
    rpid_suffix = Param(
        str,
        ";party=calling;id-type=subscriber;screen=yes",
        "What append_rpid_hf writes behind the value",
        check=one_line,
    )
    realm_prefix = Param(str, "", "What is taken off a realm that comes from the message, such as `sip.`")
    rpid_avp = Param(
        str, "$avp(s:rpid)", "The AVP that the functions for Remote-Party-ID read", check=avp_written
    )
    username_spec = Param(
        str, "", "The pseudo-variable that holds the user for pv_*_authorize", check=_variable_written
    )
    password_spec = Param(
        str, "", "The pseudo-variable that holds the password for pv_*_authorize", check=_variable_written
    )
    calculate_ha1 = Param(
        int, 0, "1: password_spec holds a password; 0: MD5(user:realm:password)", check=switch
    )
    algorithms = Param(
        str,
        "MD5",
        "What challenges offer: MD5, SHA-256, SHA-512-256, the best liked first",
        check=_algorithms,
    )
    nonce_count = Param(
        int, 1, "0: a nonce is good for any number of requests, as in 1.3; a replay is let in", check=switch
    )
    max_nonces = Param(
        int, 100_000, "Used nonces that are kept; more: the oldest become stale", check=positive, limit=True
    )
    uri_check = Param(
        int, 1, "0: the `uri` of a digest may name another user and host than the Request-URI", check=switch
    )

    replays = Counter("Requests that were refused because their nonce and count had been used")

    def functions(self) -> Iterator[Function]:
        """All script functions; pv_*_authorize read what the parameters name."""
        for function in super().functions():
            if function.name.startswith("pv_"):
                function = replace(function, refusal=self._lacks_specs())
            yield function

    def _lacks_specs(self) -> Refusal | None:
        for name, example in (("username_spec", "$avp(s:user)"), ("password_spec", "$avp(s:password)")):
            if not getattr(self, name):
                return Refusal(f"auth has no {name}", f'add: modparam("auth", "{name}", "{example}")')
        return None

    def check(self) -> None:
        """Take the parameters."""
        sl = self.services.module("sl")
        assert isinstance(sl, Sl)
        services, now = self.services, self.services.clock.wall()
        secret = self.secret or "".join(services.token() for _ in range(4))
        self._api = AuthApi(
            Nonces(secret.encode("utf-8", "surrogateescape"), self.nonce_expire, services.token),
            NonceCounts(self.max_nonces, int(now) + self.nonce_expire) if self.nonce_count else None,
            sl.send_reply,
            services.log,
            algorithms=algorithms_in(self.algorithms),
            realm_prefix=self.realm_prefix,
            uri_check=bool(self.uri_check),
            replayed=self._replayed,
        )
        self._rpid = NamedAvp(self.rpid_avp or "$avp(s:rpid)")
        self._username = variable(self.username_spec) if self.username_spec else _nothing
        self._password = variable(self.password_spec) if self.password_spec else _nothing

    def bind(self) -> AuthApi:
        """The check of digests, for modules that know passwords."""
        return self._api

    def _replayed(self) -> None:
        self.replays.value += 1

    # --- challenges ---------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.ANSWERS)
    def www_challenge(self, run: Run, realm: Format, qop: Qop) -> int:
        """Answer 401 with a challenge, and end the script; an empty realm is the domain of To (REGISTER) or From."""
        return self._api.challenge(run, realm(run), WWW, qop)

    @script_function(routes=REQUEST, effect=Effect.ANSWERS)
    def proxy_challenge(self, run: Run, realm: Format, qop: Qop) -> int:
        """Answer 407 with a challenge, and end the script; an empty realm is the domain of From."""
        return self._api.challenge(run, realm(run), PROXY, qop)

    # --- checks -------------------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def pv_www_authorize(self, run: Run, realm: Format) -> int:
        """Check Authorization against username_spec and password_spec; codes as www_authorize of auth_db."""
        return self._authorize(run, realm(run), WWW)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def pv_proxy_authorize(self, run: Run, realm: Format) -> int:
        """The same for Proxy-Authorization."""
        return self._authorize(run, realm(run), PROXY)

    def _authorize(self, run: Run, realm: str, side: Side) -> int:
        asked = self._api.pre_auth(run, realm, side)
        if isinstance(asked, int):
            return asked
        username, password = self._username(run), self._password(run)
        if not username or not password or str(username) != asked.credentials.user:
            return USER_UNKNOWN
        ha1 = str(password)
        if self.calculate_ha1:
            ha1 = self._api.calc_ha1(asked.credentials, ha1)
        return self._api.post_auth(run, asked, ha1)

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def consume_credentials(self, run: Run) -> int:
        """Take the credentials that were found right out of the request; -1 if there are none."""
        header = run.state.notes.pop(HEADER, None)
        if header is None:
            return -1
        name, place = header
        lines = [line for line in header_lines(run.message) if line.canonical == name]
        run.edits.replace(lines[place].start, lines[place].end, b"")
        return 1

    # --- Remote-Party-ID ----------------------------------------------------------------------------------------

    @script_function(routes=REQUEST, effect=Effect.NONE)
    def is_rpid_user_e164(self, run: Run) -> int:
        """Whether the user in rpid_avp is a number as E.164 has it: `+` and 2 to 15 digits."""
        value = self._rpid.read(run)
        return 1 if isinstance(value, str) and is_e164(value) else -1

    @script_function(routes=REQUEST_BRANCH_FAILURE, effect=Effect.NONE)
    def append_rpid_hf(self, run: Run) -> int:
        """Add Remote-Party-ID: rpid_prefix, the value of rpid_avp, rpid_suffix; -1 if there is no value."""
        return self._append_rpid(run, self.rpid_prefix, self.rpid_suffix)

    @script_function(routes=REQUEST_BRANCH_FAILURE, name="append_rpid_hf", effect=Effect.NONE)
    def append_rpid_hf_between(self, run: Run, prefix: Text, suffix: Text) -> int:
        """The same with another prefix and suffix."""
        return self._append_rpid(run, prefix, suffix)

    def _append_rpid(self, run: Run, prefix: str, suffix: str) -> int:
        value = self._rpid.read(run)
        header = header_of(prefix, value, suffix) if isinstance(value, str) and value else ""
        if not header:
            return -1
        run.edits.append_header(header)
        return 1

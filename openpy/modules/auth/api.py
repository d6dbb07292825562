"""Who sent a request: the two halves of a check, between which somebody finds the password (`bind_auth` of 1.3).

    asked = auth.pre_auth(run, realm, WWW)
    if isinstance(asked, int):
        return asked
    ...  # find out H(A1) of asked.credentials
    return auth.post_auth(run, asked, ha1)

Rules:
1. What both return is the script's return code; 0: the request was answered, and the script ends.
2. Nothing is noted, and no nonce is used up, before the digest was found right.
3. Replays are known of this server alone, and since its start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from openpy.engine.log import INFO, Log
from openpy.engine.run import Run
from openpy.modules.auth.challenges import Side, challenge_headers, is_offered, offer_of
from openpy.modules.auth.counts import NonceCounts
from openpy.modules.auth.nonces import Nonce, Nonces
from openpy.modules.auth.requests import (
    UNCHALLENGED,
    Answer,
    answers_for,
    checked_realm,
    count_of,
    names_the_same,
    realm_of,
)
from openpy.sip.digest import Credentials, check, digest_ha1
from openpy.sip.errors import RemoteError

__all__ = [
    "ANSWERED",
    "AUTHORIZED",
    "ERROR",
    "NO_CREDENTIALS",
    "STALE_NONCE",
    "USER_UNKNOWN",
    "Asked",
    "AuthApi",
]

AUTHORIZED, ANSWERED, USER_UNKNOWN, STALE_NONCE, NO_CREDENTIALS, ERROR = 1, 0, -1, -3, -4, -5
"""Return codes. 1.3 has -2 for a wrong password too, and never gives it: that is ERROR."""

Reply: TypeAlias = Callable[[Run, int, str, str], bool]

STALE, HEADER = "auth stale", "auth header"
"""What is noted with a message: that its nonce was stale, and where its right credentials stand."""


class Asked(NamedTuple):
    """Credentials that are whole, for a nonce that is ours; whether they are right the password shows."""

    credentials: Credentials
    side: Side
    place: int
    nonce: Nonce


class AuthApi:
    """The check of credentials. Without `counts` a nonce is good for any number of requests, as in 1.3."""

    __slots__ = (
        "_counts",
        "_log",
        "_nonces",
        "_realm_prefix",
        "_replayed",
        "_reply",
        "_uri_check",
        "algorithms",
    )

    def __init__(
        self,
        nonces: Nonces,
        counts: NonceCounts | None,
        reply: Reply,
        log: Log,
        *,
        algorithms: Sequence[str] = ("MD5",),
        realm_prefix: str = "",
        uri_check: bool = True,
        replayed: Callable[[], None] = lambda: None,
    ) -> None:
        """`reply(run, status, reason, headers)` answers; False for what is not answered.

        `replayed` is called for each request that is refused because another used its nonce and count.
        """
        self.algorithms = tuple(algorithms)
        self._nonces = nonces
        self._reply = reply
        self._counts = counts
        self._log = log
        self._realm_prefix = realm_prefix
        self._uri_check = uri_check
        self._replayed = replayed

    def challenge(self, run: Run, realm: str, side: Side, qop: Sequence[str]) -> int:
        """Answer with a challenge: 0, or -1 for what is not answered. "" is the realm that the request names."""
        try:
            realm = self._realm(run, realm, side)
        except RemoteError:
            return self._refuse(run, "its realm cannot be told")
        # If the clock was set back, a nonce that ends by it would be stale before it is used.
        earliest = 0 if self._counts is None else self._counts.earliest
        nonce = self._nonces.make(run.wall, offer_of(self.algorithms, qop), earliest)
        headers = challenge_headers(side, realm, nonce, self.algorithms, qop, stale=STALE in run.state.notes)
        return ANSWERED if self._reply(run, side.status, side.reason, headers) else -1

    def pre_auth(self, run: Run, realm: str, side: Side) -> Asked | int:
        """The credentials for a realm, where there are any worth a look at a password; else the return code."""
        request = run.request
        if request.method in UNCHALLENGED:
            return AUTHORIZED
        try:
            realm = self._realm(run, realm, side)
            answers = list(answers_for(request, side, realm))
        except RemoteError as error:
            return self._refuse(run, error.reason)
        if not answers:
            return NO_CREDENTIALS
        found = self._ours(answers)
        if found is None:
            return STALE_NONCE
        (credentials, place), nonce = found
        if not is_offered(nonce.offer, credentials.algorithm, credentials.qop):
            return ERROR
        if self._uri_check and not names_the_same(credentials.uri, request.uri):
            return self._refuse(run, f'the digest is for "{credentials.uri}" (uri_check)')
        return Asked(credentials, side, place, nonce)

    def post_auth(self, run: Run, asked: Asked, ha1: str) -> int:
        """Whether the credentials are those of who has the password behind `ha1`."""
        credentials, side, place, nonce = asked
        request = run.request
        if not check(credentials, method=request.method, ha1=ha1, body=request.body):
            return ERROR
        state = run.state
        if nonce.end < run.wall or not self._is_first(run, asked):
            state.notes[STALE] = True
            return STALE_NONCE
        state.credentials = credentials
        state.notes[HEADER] = side.answer, place
        return AUTHORIZED

    def calc_ha1(self, credentials: Credentials, password: str) -> str:
        """H(A1) of a password in plain text."""
        return digest_ha1(credentials.username, credentials.realm, password, credentials.algorithm)

    def server_failed(self, run: Run) -> int:
        """Answer for a password that cannot be looked up."""
        self._reply(run, 500, "Server Internal Error", "")
        return ANSWERED

    def _realm(self, run: Run, realm: str, side: Side) -> str:
        return checked_realm(realm or realm_of(run.request, side, self._realm_prefix))

    def _ours(self, answers: Sequence[Answer]) -> tuple[Answer, Nonce] | None:
        """The first answer whose nonce is ours: another proxy may use the same realm."""
        for answer in answers:
            nonce = self._nonces.read(answer.credentials.nonce)
            if nonce is not None:
                return answer, nonce
        return None

    def _is_first(self, run: Run, asked: Asked) -> bool:
        counts = self._counts
        if counts is None:
            return True
        nonce = asked.nonce
        sign = hash((run.message.raw, run.flow.host, run.flow.port))
        if counts.take(nonce.end, nonce.number, count_of(asked.credentials), sign, run.wall):
            return True
        self._replayed()
        return False

    def _refuse(self, run: Run, why: str) -> int:
        self._log.write(INFO, "auth", f"credentials of {run.flow.host}:{run.flow.port} are refused: {why}")
        self._reply(run, 400, "Bad Request", "")
        return ANSWERED

"""Answers to the challenges that one request meets (RFC 3261 section 22, RFC 2617)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from openpy.sip.digest import Challenge, authorize, parse_challenge
from openpy.sip.errors import RemoteError
from openpy.sip.message import Response

_HEADERS = (("WWW-Authenticate", "Authorization"), ("Proxy-Authenticate", "Proxy-Authorization"))


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to those who ask."""

    username: str
    password: str = field(repr=False)


@dataclass(slots=True)
class _Answered:
    challenge: Challenge
    uses: int = 0


class Authentication:
    """The challenges that one request, with its repetitions, has met.

    `random_text` gives the client nonces.
    """

    __slots__ = ("_account", "_answered", "_random_text")

    def __init__(self, account: Account | None, random_text: Callable[[], str]) -> None:
        self._account = account
        self._random_text = random_text
        self._answered: dict[tuple[str, str], _Answered] = {}

    def take(self, response: Response) -> bool:
        """Take the challenges of a 401 or 407; return whether the request is worth repeating.

        It is not if we have no account, or if a realm challenges us again without calling the nonce stale:
        the password is wrong.
        """
        if self._account is None:
            return False
        found = False
        for asked, header in _HEADERS:
            for challenge in _usable(response.all(asked)):
                before = self._answered.get((header, challenge.realm))
                if before is not None and (not challenge.stale or challenge.nonce == before.challenge.nonce):
                    return False
                self._answered[header, challenge.realm] = _Answered(challenge)
                found = True
        return found

    def headers(self, method: str, uri: str) -> str:
        """The header lines that answer all challenges so far, for a request to the Request-URI `uri`."""
        lines = ""
        for (header, _), answered in self._answered.items():
            assert self._account is not None
            answered.uses += 1
            value = authorize(
                answered.challenge,
                method=method,
                uri=uri,
                username=self._account.username,
                password=self._account.password,
                cnonce=self._random_text(),
                nc=answered.uses,
            )
            lines += f"{header}: {value}\r\n"
        return lines


def _usable(texts: list[str]) -> list[Challenge]:
    """For each realm the first challenge that we can answer (RFC 8760 section 2.4)."""
    usable: dict[str, Challenge] = {}
    for text in texts:
        try:
            challenge = parse_challenge(text)
        except RemoteError:
            continue
        if not challenge.qop or "auth" in challenge.qop:
            usable.setdefault(challenge.realm, challenge)
    return list(usable.values())

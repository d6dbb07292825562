"""Which columns hold a password, and which are loaded into AVPs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openpy.engine.checks import identifier
from openpy.engine.module import ArgumentError
from openpy.engine.named import NamedAvp
from openpy.engine.run import Run
from openpy.sip.digest import hash_name


class PasswordColumns(NamedTuple):
    """The columns that passwords are in; `by_domain` has MD5 of usernames that name their domain."""

    plain: str
    """The password itself, where H(A1) is to be calculated; else ""."""
    md5: str
    by_domain: str
    sha_256: str
    sha_512_256: str

    def used(self, algorithms: Sequence[str]) -> list[str]:
        """All that may be asked for, where these algorithms are offered."""
        if self.plain:
            return [self.plain]
        by_algorithm = {
            "MD5": [self.md5, self.by_domain],
            "SHA-256": [self.sha_256],
            "SHA-512-256": [self.sha_512_256],
        }
        return [column for name in algorithms for column in by_algorithm[name]]

    def holding(self, algorithm: str, *, names_domain: bool) -> str:
        """The column for credentials of an algorithm; "" where there is none."""
        if self.plain:
            return self.plain
        name = hash_name(algorithm)
        if name == "MD5":
            return self.by_domain if names_domain else self.md5
        if names_domain:
            return ""
        return self.sha_256 if name == "SHA-256" else self.sha_512_256


class Loaded(NamedTuple):
    """A column whose value becomes an AVP."""

    column: str
    avp: NamedAvp

    def load(self, run: Run, value: object) -> None:
        """Add the value, unless it is empty, or neither text nor number."""
        if isinstance(value, int | str) and value != "":
            self.avp.add(run, value)


def loaded_columns(text: str) -> list[Loaded]:
    """The columns of `load_credentials`: `rpid;$avp(s:id)=uuid`; raises ArgumentError."""
    found = []
    for entry in filter(None, map(str.strip, text.split(";"))):
        avp, equal, column = entry.rpartition("=")
        column = column.strip()
        if not column or (equal and not avp.strip().startswith("$avp(")):
            raise ArgumentError(f'bad load_credentials "{entry}": write column or $avp(s:name)=column')
        found.append(Loaded(identifier(column), NamedAvp(avp if equal else f"s:{column}")))
    return found

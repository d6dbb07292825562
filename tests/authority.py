"""Certificates for tests: a certificate authority of their own, made by the script that users get for theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "examples" / "tls" / "make-ca.sh"


@dataclass(frozen=True)
class Certificate:
    """The files of one certificate."""

    certificate: str
    key: str


class Authority:
    """Certificates by the names that they are for, made when they are first wanted."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no openssl command")
        self._folder = folder
        self._make()
        self.ca = str(folder / "ca.pem")

    def of(self, *names: str, days: int = 30) -> Certificate:
        """The certificate of a host with these names; with `days` below 0 it has expired."""
        folder = self._folder / "_".join([str(days), *names]).replace(":", ".")  # all: two may begin alike
        if not folder.exists():
            folder.mkdir()
            for file in ("ca.pem", "ca.key"):
                shutil.copy(self._folder / file, folder)
        path = folder / f"{names[0]}.pem"
        if not path.exists():
            self._make(",".join(names), days=days, folder=folder)
        return Certificate(str(path), str(path.with_suffix(".key")))

    def _make(self, *names: str, days: int = 30, folder: Path | None = None) -> None:
        subprocess.run(
            [SCRIPT, folder or self._folder, *names],
            env={**os.environ, "DAYS": str(days)},
            check=True,
            timeout=30,
        )

"""docs/tls.md: its scripts are read as they stand there, with certificates made as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authority import SCRIPT, Authority

MAIN, DOMAINS, WEB = range(3)


def scripts(root: Path) -> list[str]:
    return re.findall(r"^```\n(.*?)^```$", (root / "docs" / "tls.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, root: Path, authority: Authority) -> Path:
    """A folder in which the command of the page has been run."""
    text = (root / "docs" / "tls.md").read_text()
    command = next(line for line in text.splitlines() if line.startswith("    examples/tls/make-ca.sh"))
    _, *arguments = command.split()
    subprocess.run([SCRIPT, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def check(root: Path, folder: Path, script: str) -> str:
    (folder / "openser.cfg").write_text(script)
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    checked = subprocess.run(
        [sys.executable, "-m", "openpy", "-c"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stderr


def test_the_script_of_the_page_is_fine_with_the_certificates_of_the_page(root: Path, folder: Path) -> None:
    assert check(root, folder, scripts(root)[MAIN]) == "config file ok, exiting...\n"


def test_the_other_settings_go_with_it(root: Path, folder: Path) -> None:
    for name in ("partner", "trunk"):
        subprocess.run([SCRIPT, "var/tls", name], cwd=folder, check=True)
    (folder / "var" / "tls" / "partners.pem").write_text((folder / "var" / "tls" / "ca.pem").read_text())
    main, domains, web = scripts(root)
    settings, _, route = main.partition("\nloadmodule")
    text = f"{settings}\n{domains}{web}tls_client_domain_avp=400\nloadmodule{route}"
    assert check(root, folder, text) == "config file ok, exiting...\n"
    missing = text.replace("trunk.key", "gone.key")
    assert "tls_private_key: var/tls/gone.key cannot be read: No such file or directory" in check(
        root, folder, missing
    )


def test_the_script_that_makes_certificates_says_what_is_wrong(tmp_path: Path, authority: Authority) -> None:
    made = subprocess.run(
        [SCRIPT, tmp_path / "x", "a.example"],
        env={**os.environ, "DAYS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert "many" in made.stderr

"""The MI block of section 1.5.1, byte for byte, to a presence server that has a watcher to tell."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.scenarios.conftest import launcher
from tests.scenarios.wire import Phone, pidf
from tests.seed.examples import DATABASE, script

pytestmark = pytest.mark.scenario

WRITTEN = "\t\t:refreshWatchers:fifo_reply\n\t\tsip:11@192.168.2.132\n\t\tpresence\n\t\t1\n\t\t_empty_line_\n"
BLOCK = WRITTEN.replace("\t", "").replace("_empty_line_", "")
URI = "sip:11@192.168.2.132"


def test_the_block_is_that_of_the_documentation(shared: Path) -> None:
    text = (shared / "seed" / "presence-module-1.3.txt").read_text()
    assert WRITTEN in text


def test_1_5_1_a_change_by_another_hand_is_told(tmp_path: Path) -> None:
    fifo = f'modparam("mi_fifo", "fifo_name", "{tmp_path}/fifo")\nmodparam("mi_fifo", "reply_dir", "{tmp_path}/")'
    with ExitStack() as stack:
        server = launcher(tmp_path, stack)('loadmodule "mi_fifo.so"\n' + script(fifo))
        phone = stack.enter_context(Phone(server.address))
        phone.publish(URI, pidf(URI, note="before"))
        dialog, _ = phone.subscribe(URI)
        assert b"before" in phone.notify(dialog).body
        with closing(sqlite3.connect(server.script.parent / DATABASE)) as connection, connection:
            connection.execute("UPDATE presentity SET body = ?", (pidf(URI, note="after"),))
        command = "mkfifo fifo_reply && { cat fifo_reply & cat > fifo; wait; }"
        run = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            input=BLOCK,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        assert run.stdout == "200 OK\n\n"
        assert b"after" in phone.notify(dialog).body

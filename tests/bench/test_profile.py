from __future__ import annotations

from pathlib import Path

import pytest

from bench.measurement import Row
from bench.profile import ROOT, listing, main
from bench.sampler import Spent

ROW = Row("options", "OPTIONS", 1000, 20.0, 50_000.0, 1.0, 2.0, 0, {}, 0, 30.0, 0.5)


def test_the_listing_tells_microseconds_of_one_operation() -> None:
    found = [
        Spent(str(ROOT / "openpy" / "net" / "udp.py"), 5, "send", 2000, 0.004, 0.005),
        Spent("/usr/lib/python3/json/decoder.py", 7, "decode", 0, 0.006, 0.006),
        Spent("", 0, "(other threads)", 0, 0.001, 0.001),
    ]
    head, _, *lines = listing(ROW, found, 2).splitlines()
    lines, files = lines[:2], lines[3:]
    assert head == "options: 20.0 us for one OPTIONS, 1000 of them, 0 errors"
    assert [line.split() for line in lines] == [
        ["6.00", "6.00", "decoder.py:7", "decode"],
        ["4.00", "5.00", "2.00", f"{Path('openpy/net/udp.py')}:5", "send"],
    ]
    assert [line.split() for line in files] == [["6.00", "decoder.py"], ["4.00", "openpy/net/udp.py"]]


@pytest.mark.scenario
@pytest.mark.pure
def test_openpy_is_profiled(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["options", "--limit", "0.5", "--top", "100"]) == 0
    told = capsys.readouterr().out
    assert ", 0 errors" in told.splitlines()[0]
    assert "UdpSocket.send" in told
    assert "openpy/sip/message.py" in told

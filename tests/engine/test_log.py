from __future__ import annotations

import json
import logging

import pytest

from openpy.engine.log import ALERT, DEBUG, ERROR, INFO, LABELS, NOTICE, WARNING, LibraryLog, Log, to_stderr


def kept(level: int = NOTICE, *, json_lines: bool = False) -> tuple[Log, list[str]]:
    lines: list[str] = []
    return Log(level, lambda _, line: lines.append(line), json_lines=json_lines), lines


def test_a_line_names_process_level_and_origin() -> None:
    log, lines = kept()
    log.error("presence", "it broke\n")
    assert lines[0].endswith("ERROR:presence: it broke")
    assert "] " in lines[0]


@pytest.mark.parametrize("level", sorted(LABELS))
def test_what_is_above_the_level_is_not_written(level: int) -> None:
    log, lines = kept(level)
    for each in LABELS:
        log.write(each, "core", LABELS[each])
    assert [line.rsplit(" ", 1)[1] for line in lines] == [LABELS[e] for e in LABELS if e <= level]
    assert log.wants(level)
    assert not log.wants(level + 1)


def test_each_level_has_its_method() -> None:
    log, lines = kept(INFO)
    log.error("m", "1")
    log.warning("m", "2")
    log.notice("m", "3")
    log.info("m", "4")
    labels = [line.split("] ")[1].split(":")[0] for line in lines]
    assert labels == [LABELS[level] for level in (ERROR, WARNING, NOTICE, INFO)]


def test_json_lines_are_one_object_each_whatever_the_text_holds() -> None:
    log, lines = kept(DEBUG, json_lines=True)
    log.write(ALERT, "core", 'two\nlines "quoted" \udcff')
    (line,) = lines
    assert "\n" not in line
    event = json.loads(line)
    assert event["level"] == "alert"
    assert event["module"] == "core"
    assert event["text"].startswith("two\nlines")
    assert isinstance(event["time"], float)


def test_stderr_takes_any_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", open(2, "w", closefd=False))  # noqa: SIM115 - closes nothing
        to_stderr(ERROR, "raw \udcff octet")
    assert capfdbinary.readouterr().err == b"raw \xff octet\n"


def test_line_that_cannot_be_written_is_lost() -> None:
    with open("/dev/full", "w") as full, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", full)
        to_stderr(ERROR, "no space left on device")


def test_what_libraries_log_is_passed_on() -> None:
    log, lines = kept(INFO)
    library = logging.getLogger("openpy.db.test")
    library.addHandler(LibraryLog(log))
    library.warning("the disk is %s", "full")
    try:
        raise ValueError("no")
    except ValueError:
        library.exception("a mistake")
    assert lines[0].endswith("WARNING:openpy.db.test: the disk is full")
    assert "ERROR:openpy.db.test: a mistake\nTraceback" in lines[1]
    assert "ValueError: no" in lines[1]

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from openpy.db.url import DatabaseUrl
from openpy.modules.msilo.store import LONGEST_BODY, SLICE
from openpy.modules.msilo.tables import COLUMNS, Silo
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import request
from tests.modules.accounts import printed, script_of, setting
from tests.modules.msilo.kit import BOB, STORE, arriving, bodies, come_back, silo, write
from tests.modules.msilo.test_tables import LEGACY


def test_a_row() -> None:
    with silo() as script:
        write(script, b"\x00\xffhello")
        (row,) = script.rows("silo")
        assert row["exp_time"] == row["inc_time"] + 259200
        assert {name: row[name] for name in row if "time" not in name} == {
            "id": 1,
            "src_addr": "sip:alice@example.com",
            "dst_addr": BOB,
            "username": "bob",
            "domain": "example.com",
            "ctype": "text/plain",
            "body": b"\x00\xffhello",
        }
        assert row["snd_time"] == 0


def test_names_of_table_and_columns() -> None:
    columns: dict[str, Any] = {
        "sc_from": "f",
        "sc_to": "t",
        "sc_uri_user": "u",
        "sc_uri_host": "h",
        "sc_body": "b",
    }
    columns |= {"sc_ctype": "c", "sc_exp_time": "e", "sc_inc_time": "i", "sc_snd_time": "s", "sc_mid": "id"}
    with silo(db_table="kept", **columns) as script:
        assert write(script).status == 202
        (row,) = script.rows("kept")
        assert list(row) == ["id", "f", "t", "u", "h", "i", "e", "s", "c", "b"]
        come_back(script)
        assert len(arriving(script)) == 1
        arriving(script)[0].answer(200)
        assert script.rows("kept") == []


def test_the_number_has_one_name() -> None:
    with pytest.raises(ScriptError, match='the column of the number is "id"'):
        silo(sc_mid="mid")


def test_more_than_a_slice() -> None:
    with silo(add_date=0) as script:
        texts = [str(number).encode() for number in range(SLICE * 2 + 1)]
        for text in texts:
            write(script, text)
        come_back(script)
        for _ in texts:
            arriving(script)[-1].answer(200)
        assert bodies(script) == texts
        assert script.rows("silo") == []


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("text/plain;charset=UTF-8", "text/plain;charset=UTF-8"),
        ("text/plain;format=flowed;charset=UTF-8", "text/plain;charset=UTF-8"),
        ("text/plain;a=" + "x" * 40, "text/plain"),
        ("multipart/mixed;boundary=abcdefgh", None),
    ],
)
def test_a_table_of_1_3_is_narrow(tmp_path: Path, kind: str, kept: str | None) -> None:
    with silo(folder=tmp_path) as script:
        (file,) = script.server.files.values()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE silo")
        connection.execute(LEGACY)
    with silo(folder=tmp_path) as script:
        write(script, kind=kind)
        assert [row["ctype"] for row in script.rows("silo")] == [kept] * (kept is not None)
        assert any("column ctype of silo" in text for text in script.printed) is (kept is None)


def test_what_no_column_takes() -> None:
    with silo() as script:
        assert write(script, "x" * 2000, kind="text/plain;a=" + "x" * 300).status == 202
        assert write(script, "x", to="sip:" + "b" * 300 + "@example.com").status == 503
        assert any("does not fit column" in text for text in script.printed)
        assert [row["ctype"] for row in script.rows("silo")] == ["text/plain"]


def test_a_body_of_any_length() -> None:
    with silo() as script:
        for size, status in ((LONGEST_BODY, 202), (LONGEST_BODY + 1, 503)):
            reply = script.send(
                *("MESSAGE", BOB), body=b"x" * size, source="tcp:192.0.2.1:5060", Content_Type="a/b"
            )
            assert reply.status == status
        assert len(script.rows("silo")) == 1


@pytest.mark.parametrize(
    "route", [STORE, STORE.replace("t_newtran();", "").replace("t_reply", "sl_send_reply")]
)
def test_no_answer(route: str) -> None:
    with silo(route) as script:
        script.sql("DROP TABLE silo")
        assert write(script).status == 503
        assert script.printed == ["-1"]
        assert any("silo" in line.text for line in script.log if line.origin == "msilo")
        assert script.statistic("msilo:stored_messages") == 0


def test_no_room_for_a_transaction() -> None:
    with silo() as script:
        script.server.transactions.capacity = 0
        write(script)
        assert script.rows("silo") == []


# --- every database -------------------------------------------------------------------------------------------------


def test_each_database(tmp_path: Path, kind: str, url: DatabaseUrl) -> None:
    """What one server kept is known to the next one, which counts it, and refuses more."""
    settings = setting("msilo", "max_messages", 3)
    script = script_of(STORE, "msilo", settings=settings, url=str(url), database=kind)
    columns = (*COLUMNS[:4], "exp_time", "body")
    values = ("sip:alice@example.com", BOB, "bob", "example.com", 2**31 - 1, b"\x00\xff")
    row = dict(zip(columns, values, strict=True))
    messages = [
        request("MESSAGE", BOB, "Content-Type: text/plain", body=b"x", call_id=f"c{n}", branch=f"z9hG4bK{n}")
        for n in range(3)
    ]
    found = printed(tmp_path, kind, url, script, [(Silo, row)], *messages)
    assert [line for line in found if line in ("1", "-1")] == ["1", "1", "-1"]

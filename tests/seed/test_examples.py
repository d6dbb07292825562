"""Examples 1-1 to 1-14 of the presence module's documentation run as they are written."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from openpy.cli.openpy import main
from openpy.cli.openpydbctl import main as openpydbctl
from openpy.db.dialect import fetch
from openpy.db.url import parse_url
from openpy.modules.mysql.dialect import DIALECT
from tests.scenarios.conftest import launcher
from tests.scenarios.wire import Phone, ServerProcess, pidf
from tests.seed.examples import DATABASE, EXAMPLES, MYSQL_URL, PARAMETERS, script, write
from tests.seed.mariadb import private_server

ALICE = "sip:alice@example.org"

PhoneTo = Callable[[ServerProcess], Phone]

pytestmark = pytest.mark.scenario


def query(server: ServerProcess, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(server.script.parent / DATABASE, timeout=5)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def test_the_examples_are_those_of_the_documentation(shared: Path) -> None:
    text = (shared / "seed" / "presence-module-1.3.txt").read_text()
    for number, lines in EXAMPLES.items():
        example = text.split(f"\nExample {number}. ")[-1].split("\n...\n")[1] + "\n"
        assert example == lines.removesuffix("\n") + "\n"


@pytest.mark.parametrize("number", PARAMETERS)
@pytest.mark.parametrize("semicolon", [False, True])
def test_each_example_passes_the_check(
    number: str, semicolon: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = PARAMETERS[number].rstrip(";") + (";" if semicolon else "")
    assert main(["-c", "-f", str(write(tmp_path, script(line)))]) == 0
    assert capsys.readouterr().err == "config file ok, exiting...\n"


def test_1_1_the_start_names_the_module_that_a_mysql_url_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, script(database=MYSQL_URL)))
    assert main(["-f", path, "-l", "udp:127.0.0.1:0"]) == 255
    assert 'add: loadmodule "mysql.so"' in capsys.readouterr().err


def test_1_1_publications_are_kept_in_the_mysql_database(tmp_path: Path) -> None:
    """The example as it is written, but for the host."""
    sql = "CREATE DATABASE openser;\nGRANT ALL ON openser.* TO openser@'%' IDENTIFIED BY 'openserrw';\n"
    with private_server(tmp_path, sql) as host, ExitStack() as stack:
        url = parse_url(f"mysql://openser:openserrw@{host}/openser")
        example = MYSQL_URL.replace("192.168.2.132", host)
        assert openpydbctl(["create", f"mysql://openser:openserrw@{host}/openser"]) == 0
        server = launcher(tmp_path, stack)(script(database=example).replace('"sqlite.so"', '"mysql.so"'))
        with Phone(server.address) as phone:
            assert phone.publish("sip:one-one@example.org", pidf()).status == 200
        with closing(DIALECT.connect(url)) as connection:
            assert fetch(connection, "SELECT username FROM presentity") == [("one-one",)]


def test_1_2_publications_are_kept_in_presentity_table(
    as_written: ServerProcess, otherwise: ServerProcess, phone_to: PhoneTo
) -> None:
    for server, table in ((as_written, "presentity"), (otherwise, "publications")):
        assert phone_to(server).publish("sip:one-two@example.org", pidf()).status == 200
        assert query(server, f"SELECT domain FROM {table} WHERE username = 'one-two'") == [("example.org",)]


def test_1_3_subscriptions_are_kept_in_active_watchers_table(
    as_written: ServerProcess, otherwise: ServerProcess, phone_to: PhoneTo
) -> None:
    uri = "sip:one-three@example.org"
    for server, table in ((as_written, "active_watchers"), (otherwise, "subscriptions")):
        phone = phone_to(server)
        dialog, _ = phone.subscribe(uri)
        phone.notify(dialog)
        assert query(server, f"SELECT event FROM {table} WHERE presentity_uri = ?", uri) == [("presence",)]


def test_1_4_watchers_table_is_made(as_written: ServerProcess, otherwise: ServerProcess) -> None:
    for server, table in ((as_written, "watchers"), (otherwise, "decisions")):
        assert query(server, "SELECT table_version FROM version WHERE table_name = ?", table) == [(3,)]


def test_1_5_what_expired_is_swept_every_clean_period(
    as_written: ServerProcess, otherwise: ServerProcess
) -> None:
    insert = (
        "INSERT INTO {} (username, domain, event, etag, expires, received_time, body)"
        " VALUES ('gone', 'example.org', 'presence', 'x', 1000, 1000, '')"
    )
    count = "SELECT count(*) FROM {} WHERE username = 'gone'"
    query(as_written, insert.format("presentity"))
    query(otherwise, insert.format("publications"))
    deadline = time.monotonic() + 5
    while query(otherwise, count.format("publications")) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert query(as_written, count.format("presentity")) == [(1,)]


def test_1_6_to_tags_begin_with_to_tag_pref(as_written: ServerProcess, phone_to: PhoneTo) -> None:
    phone = phone_to(as_written)
    dialog, reply = phone.subscribe(ALICE)
    assert reply.to_tag.startswith("pres.")
    assert f";tag={reply.to_tag}" in phone.notify(dialog).get("From")


def test_1_7_expires_offset_is_subtracted_from_the_expires_of_a_200(
    as_written: ServerProcess, otherwise: ServerProcess, phone_to: PhoneTo
) -> None:
    uri = "sip:one-seven@example.org"
    assert phone_to(as_written).publish(uri, pidf(), expires=50).get("Expires") == "40"
    assert phone_to(otherwise).publish(uri, pidf(), expires=50).get("Expires") == "50"
    ((expires,),) = query(as_written, "SELECT expires FROM presentity WHERE username = 'one-seven'")
    assert isinstance(expires, int)
    assert 45 < expires - time.time() <= 51  # what is kept lasts longer than what was said


def test_1_8_nothing_lasts_longer_than_max_expires(
    as_written: ServerProcess, otherwise: ServerProcess, phone_to: PhoneTo
) -> None:
    for server, published, subscribed in ((as_written, "3590", "3600"), (otherwise, "60", "60")):
        phone = phone_to(server)
        assert phone.publish(ALICE, pidf(), expires=7200).get("Expires") == published
        dialog, reply = phone.subscribe(ALICE, expires=7200)
        assert reply.get("Expires") == subscribed
        phone.notify(dialog)


def test_1_9_server_address_is_the_contact_of_answers_and_notifies(
    as_written: ServerProcess, phone_to: PhoneTo
) -> None:
    phone = phone_to(as_written)
    dialog, reply = phone.subscribe(ALICE)
    assert reply.get("Contact") == "<sip:10.10.10.10:5060>"
    assert phone.notify(dialog).get("Contact") == "<sip:10.10.10.10:5060>"
    assert phone.publish(ALICE, pidf()).get("Contact") == "<sip:10.10.10.10:5060>"


def test_1_10_with_fallback2db_a_restarted_server_still_knows_the_dialog(
    as_written: ServerProcess, phone_to: PhoneTo
) -> None:
    phone = phone_to(as_written)
    dialog, _ = phone.subscribe(ALICE)
    phone.notify(dialog)
    as_written.kill()
    as_written.start()
    _, reply = phone.subscribe(ALICE, dialog=dialog)
    assert reply.status == 200


@pytest.mark.parametrize("number", ["1-11", "1-12"])
def test_1_11_and_1_12_table_sizes_are_hints_that_are_checked(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = PARAMETERS[number].replace("11)", '"large")')
    assert main(["-c", "-f", str(write(tmp_path, script(line)))]) == 255
    assert "htable_size" in capsys.readouterr().err


def test_1_13_the_watcher_named_in_sender_is_not_told(as_written: ServerProcess, phone_to: PhoneTo) -> None:
    uri = "sip:line@example.org"
    own, other = phone_to(as_written), phone_to(as_written)
    own_dialog, _ = own.subscribe(uri)
    other_dialog, _ = other.subscribe(uri)
    own.notify(own_dialog)
    other.notify(other_dialog)
    reply = other.publish(uri, pidf(uri, note="mine"), headers=[f"Sender: <{own.contact}>"])
    assert reply.status == 200
    assert b"mine" in other.notify(other_dialog).body
    assert own.nothing_more()
    assert other.publish(uri, pidf(uri, note="ours")).status == 200  # without Sender everybody is told
    assert b"ours" in own.notify(own_dialog).body


def test_1_14_a_subscription_is_answered_and_notified(as_written: ServerProcess, phone_to: PhoneTo) -> None:
    phone = phone_to(as_written)
    assert phone.publish(ALICE, pidf(note="here")).status == 200
    dialog, reply = phone.subscribe(ALICE)
    assert (reply.status, reply.get("Expires")) == (200, "600")
    notify = phone.notify(dialog)
    assert notify.get("Subscription-State").startswith("active;expires=")
    assert b"here" in notify.body

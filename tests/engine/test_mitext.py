from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.engine.mi import Node, Reply
from openpy.engine.mitext import (
    MalformedRequest,
    ParameterReader,
    parse_command_line,
    reply_text,
    request_text,
)


def read(text: str) -> list[tuple[str, str | None]]:
    reader = ParameterReader()
    for line in text.splitlines(keepends=True):
        reader.add(line)
    assert not reader.in_quotes
    return [(node.name, node.value) for node in reader.nodes]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (":which:answer\n", ("which", "answer")),
        (":which:answer \t\r\n", ("which", "answer")),
        (":which:\n", ("which", "")),
        (":a:b:c\n", ("a", "b:c")),
    ],
)
def test_the_first_line_names_command_and_reply(line: str, found: tuple[str, str]) -> None:
    assert parse_command_line(line) == found


@pytest.mark.parametrize(
    "line", ["which:answer\n", ":a\n", " :a:b\n", ":which\n", "::answer\n", "\n", ":a \n"]
)
def test_a_bad_first_line(line: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_command_line(line)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("location\n", [("", "location")]),
        ("  \tlocation \r\n", [("", "location")]),
        ("table::location\n", [("table", "location")]),
        ("table:: location\n", [("table", "location")]),
        ("table::\n", [("table", "")]),
        ("a\n \t\nb\n", [("", "a"), ("", "b")]),
        ("sip:11@192.168.2.132\npresence\n1\n", [("", "sip:11@192.168.2.132"), ("", "presence"), ("", "1")]),
        ("sip:a@[2001:db8::1]\n", [("", "sip:a@[2001:db8::1]")]),
        ('"a b" \n', [("", "a b")]),
        ('""\n', [("", "")]),
        ('n:: "a::b"\n', [("n", "a::b")]),
        ('"a::b"\n', [("", "a::b")]),
        ('"say \\"hi\\""\n', [("", 'say "hi"')]),
        ('h::"To: x\r\n\nFrom: y"\nnext\n', [("h", "To: x\r\n\nFrom: y"), ("", "next")]),
    ],
)
def test_parameters(text: str, found: list[tuple[str, str | None]]) -> None:
    assert read(text) == found


@pytest.mark.parametrize("text", ['a"b\n', '"a" b\n', 'n::a"b"\n', 'n"m::a\n', '"a\nb" c\n'])
def test_misplaced_quotes(text: str) -> None:
    with pytest.raises(MalformedRequest):
        read(text)


PLAIN = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(PLAIN, max_size=4))
def test_what_a_client_writes_is_what_is_read(values: list[str]) -> None:
    text = request_text("do", "answer", values)
    assert text.startswith(":do:answer\n")
    assert text.endswith("\n\n")
    reader = ParameterReader()
    for line in text[len(":do:answer\n") : -1].split("\n")[:-1]:
        reader.add(line + "\n")
    assert [node.value for node in reader.nodes] == values


@given(st.text(max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    reader = ParameterReader()
    try:
        for line in text.split("\n"):
            reader.add(line + "\n")
    except MalformedRequest:
        pass
    assert all(node.value is not None for node in reader.nodes)


def test_a_reply_is_an_indented_tree() -> None:
    reply = Reply(200, "OK")
    domain = reply.add("Domain", "location", table="512", records="1")
    domain.add("AOR", "alice").add("Contact", "sip:alice@10.0.0.5")
    reply.add(value="plain")
    reply.add("Process", ID="0", PID="7")
    reply.add()
    assert reply.nodes[-1] == Node()
    assert reply_text(reply) == (
        "200 OK\n"
        "Domain:: location table=512 records=1\n"
        "\tAOR:: alice\n"
        "\t\tContact:: sip:alice@10.0.0.5\n"
        "plain\n"
        "Process::  ID=0 PID=7\n"
        "\n"
    )
    assert "\n....AOR:: alice\n........Contact" in reply_text(reply, "....")
    assert "\nAOR:: alice\nContact" in reply_text(reply, "")
    assert reply_text(Reply(404, "Statistics Not Found")) == "404 Statistics Not Found\n"

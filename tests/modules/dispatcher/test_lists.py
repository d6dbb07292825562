from __future__ import annotations

from pathlib import Path

import pytest

from openpy.modules.dispatcher.lists import TOLD, BadList, read_file, read_rows


def written(folder: Path, text: str) -> str:
    path = folder / "list"
    path.write_text(text)
    return str(path)


def test_a_file(tmp_path: Path) -> None:
    text = "# comment\n\n 1 sip:a.example:5070;transport=tcp # one\n1\tsips:b.example  weight=3\r\n12 sip:[::1]\n"
    assert read_file(written(tmp_path, text)) == [
        (1, "sip:a.example:5070;transport=tcp"),
        (1, "sips:b.example"),
        (12, "sip:[::1]"),
    ]
    assert read_file(written(tmp_path, "")) == []


def test_each_mistake_has_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "1 sip:a\nx sip:b\n2\n3 http://c\n4 sip:\n-1 sip:d\n9999999999 sip:e\n")
    with pytest.raises(BadList) as caught:
        read_file(path)
    assert str(caught.value).split("; ") == [
        f'{path}:2: "x" is no number of a set',
        f"{path}:3: there is no URI behind the number of the set",
        f'{path}:4: "http://c" is no SIP URI',
        f'{path}:5: "sip:" is no SIP URI',
        f'{path}:6: "-1" is no number of a set',
        f'{path}:7: "9999999999" is no number of a set',
    ]


def test_not_all_of_many_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadList) as caught:
        read_file(written(tmp_path, "x\n" * (TOLD + 5)))
    assert str(caught.value).endswith("; and 5 more")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadList, match=r"can't open list file \[.*absent\]: No such file"):
        read_file(str(tmp_path / "absent"))


def test_rows_are_in_the_order_of_their_ids() -> None:
    assert read_rows("dispatcher", [(10, 1, "sip:b"), (9, 2, "sip:a ")]) == [(2, "sip:a"), (1, "sip:b")]
    with pytest.raises(BadList) as caught:
        read_rows("gateways", [(3, 1, "sip:a"), (4, 1, ""), (5, 1, "x")])
    assert str(caught.value) == (
        'gateways, row 4: there is no URI behind the number of the set; gateways, row 5: "x" is no SIP URI'
    )

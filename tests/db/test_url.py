import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.db.url import DatabaseUrl, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite:///x.db", DatabaseUrl("sqlite", "", "", "", None, "x.db")),
        ("sqlite:////var/x.db", DatabaseUrl("sqlite", "", "", "", None, "/var/x.db")),
        (
            "mysql://openser:rw@localhost/openser",
            DatabaseUrl("mysql", "openser", "rw", "localhost", None, "openser"),
        ),
        ("mysql://u:p@db:3307/o", DatabaseUrl("mysql", "u", "p", "db", 3307, "o")),
        ("POSTGRES://u@[::1]:5433/o", DatabaseUrl("postgres", "u", "", "::1", 5433, "o")),
        ("postgres://[::1]/o", DatabaseUrl("postgres", "", "", "::1", None, "o")),
        ("mysql://u:p@ss:w/%41@db/o", DatabaseUrl("mysql", "u", "p@ss:w/%41", "db", None, "o")),
        ("mysql://db/o", DatabaseUrl("mysql", "", "", "db", None, "o")),
    ],
)
def test_parts(text: str, url: DatabaseUrl) -> None:
    assert parse_url(text) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x.db", "reads scheme://"),
        ("://x", "reads scheme://"),
        ("sqlite://x.db", "sqlite:///x.db"),
        ("sqlite:///", "names no database"),
        ("mysql://u:secret@db", "names no database"),
        ("mysql://u:secret@db:port/o", '"port" is no port'),
        ("mysql://u:secret@db:0/o", '"0" is no port'),
        ("mysql://u:secret@db:65536/o", "no port"),
        ("mysql://u:secret@[::1]3306/o", "is no host"),
    ],
)
def test_mistakes_are_explained_without_the_password(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_url(text)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def test_d50_no_password_leaves() -> None:
    url = parse_url("mysql://openser:secret@[::1]:3306/openser")
    assert str(url) == "mysql://openser:***@[::1]:3306/openser"
    assert "secret" not in repr(url)


NAMES = st.text("abcXYZ09._-", min_size=1)


@given(NAMES, NAMES | st.just(""), st.none() | st.integers(1, 65535), NAMES)
def test_a_url_without_password_reads_back(user: str, host: str, port: int | None, database: str) -> None:
    url = DatabaseUrl("mysql", user, "", host, port, database)
    assert parse_url(str(url)) == url

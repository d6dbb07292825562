from __future__ import annotations

from hashlib import md5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.sip.digest import (
    Challenge,
    authorize,
    check,
    digest_ha1,
    hash_name,
    parse_challenge,
    parse_credentials,
)
from openpy.sip.errors import RemoteError

# RFC 2617 section 3.5.
RFC_CHALLENGE = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
    ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)


def test_example_of_the_rfc() -> None:
    challenge = parse_challenge(RFC_CHALLENGE)
    assert challenge == Challenge(
        "testrealm@host.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop=("auth", "auth-int"),
        opaque="5ccc069c403ebaf9f0171e9517f40e41",
    )
    value = authorize(
        challenge,
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    credentials = parse_credentials(value)
    assert credentials.response == "6629fae49393a05397450978507c4ef1"
    assert (credentials.nc, credentials.qop, credentials.cnonce) == ("00000001", "auth", "0a4f113b")
    assert credentials.opaque == challenge.opaque
    assert check(credentials, method="GET", ha1="939e7578ed9e3c518a452acee763bce9")
    assert not check(credentials, method="PUT", ha1="939e7578ed9e3c518a452acee763bce9")


def test_sha_256_example_of_rfc_7616() -> None:
    challenge = Challenge(
        "http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "SHA-256", ("auth",)
    )
    value = authorize(
        challenge,
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert (
        parse_credentials(value).response
        == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    )


def test_sha_512_256_and_the_spelling_of_algorithms() -> None:
    challenge = Challenge(
        "api@example.org", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "SHA-512-256", ("auth",)
    )
    value = authorize(
        challenge,
        method="GET",
        uri="/doe.json",
        username="J\u00e4s\u00f8n Doe",
        password="Secret, or not?",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    # RFC 7616 section 3.9.2 was computed with a draft of the hash; this is the value of its erratum 4897.
    assert parse_credentials(value).response == (
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    )
    assert hash_name("sha-512-256-Sess") == "SHA-512-256"
    assert hash_name("SHA-512") == ""


def test_auth_int_is_about_the_body() -> None:
    """RFC 2617 section 3.2.2.3: H(A2) = H(method:uri:H(entity-body))."""
    challenge = Challenge("r", "n", qop=("auth-int",))
    value = authorize(
        challenge, method="MESSAGE", uri="sip:b", username="u", password="p", cnonce="c", body=b"hello"
    )
    credentials = parse_credentials(value)
    ha1 = digest_ha1("u", "r", "p")
    ha2 = md5(f"MESSAGE:sip:b:{md5(b'hello').hexdigest()}".encode()).hexdigest()
    expected = md5(f"{ha1}:n:00000001:c:auth-int:{ha2}".encode()).hexdigest()
    assert (credentials.qop, credentials.response) == ("auth-int", expected)
    assert check(credentials, method="MESSAGE", ha1=ha1, body=b"hello")
    assert not check(credentials, method="MESSAGE", ha1=ha1, body=b"hellO")
    assert not check(credentials, method="MESSAGE", ha1=ha1)


def test_a_parameter_twice_is_malformed_in_credentials_only() -> None:
    whole = "Digest username=u,realm=r,nonce=n,uri=x,response=y"
    assert parse_credentials(whole).username == "u"
    named = parse_credentials(whole.replace("username=u", 'username="u@example.com"'))
    assert (named.username, named.user) == ("u@example.com", "u")
    for more in ("username=v", "RESPONSE=z", 'nonce="m"'):
        with pytest.raises(RemoteError, match="Malformed authentication parameter"):
            parse_credentials(f"{whole},{more}")
    assert parse_challenge("Digest realm=a,nonce=b,nonce=c").nonce == "b"


def test_any_blank_ends_the_scheme() -> None:
    for blank in ("\t", "  ", " \t"):
        assert parse_challenge(f"Digest{blank}realm=r,nonce=n") == Challenge("r", "n")


def test_without_qop() -> None:
    value = authorize(
        Challenge("r", "n"), method="REGISTER", uri="sip:r", username="u", password="p", cnonce="c"
    )
    assert "qop" not in value
    assert "cnonce" not in value
    assert check(parse_credentials(value), method="REGISTER", ha1=digest_ha1("u", "r", "p"))


def test_challenge_parameters() -> None:
    challenge = parse_challenge('digest  Realm="a \\"b\\", c" , nonce=abc,stale=TRUE,algorithm=md5-sess,')
    assert challenge == Challenge('a "b", c', "abc", "md5-sess", stale=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic realm=x",
        "Digest",
        'Digest realm="x"',
        'Digest nonce="x"',
        "Digest realm=a,nonce=b,algorithm=AKAv1-MD5",
        "Digest realm=a nonce=b",
        'Digest realm="a, nonce=b',
        "Digest realm",
        "Digest " + ",".join(f"a{n}=1" for n in range(100)),
    ],
)
def test_malformed_challenge(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_challenge(text)


@pytest.mark.parametrize("text", ["Digest username=u", "NoOneKnowsThisScheme opaque-data=here"])
def test_malformed_credentials(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_credentials(text)


def test_unknown_qop_and_algorithm_are_refused() -> None:
    with pytest.raises(RemoteError):
        authorize(
            Challenge("r", "n", qop=("auth-int",)),
            method="A",
            uri="b",
            username="u",
            password="p",
            cnonce="c",
        )
    for change in ("qop=auth-conf", "algorithm=SHA-999"):
        value = f"Digest username=u,realm=r,nonce=n,uri=x,response=y,{change}"
        assert not check(parse_credentials(value), method="A", ha1=digest_ha1("u", "r", "p"))


TEXTS = st.text(max_size=10)


@settings(max_examples=60)
@given(
    st.text(min_size=1, max_size=10),
    TEXTS,
    TEXTS,
    st.sampled_from(["MD5", "MD5-sess", "SHA-256", "sha-256-SESS", "SHA-512-256", "SHA-512-256-sess"]),
    st.sampled_from([(), ("auth",), ("auth-int", "auth")]),
    st.integers(1, 2**31),
)
def test_the_right_password_and_no_other_passes(
    username: str, realm: str, password: str, algorithm: str, qop: tuple[str, ...], nc: int
) -> None:
    challenge = Challenge(realm, "nonce", algorithm, qop)
    value = authorize(
        challenge, method="PUBLISH", uri="sip:a", username=username, password=password, cnonce="c", nc=nc
    )
    credentials = parse_credentials(value)
    assert (credentials.username, credentials.realm) == (username, realm)
    assert check(credentials, method="PUBLISH", ha1=digest_ha1(username, realm, password, algorithm))
    assert not check(
        credentials, method="PUBLISH", ha1=digest_ha1(username, realm, password + "x", algorithm)
    )
    changed = credentials._replace(nonce="other")
    assert not check(changed, method="PUBLISH", ha1=digest_ha1(username, realm, password, algorithm))

"""Random trees of scripts: all that the parser can make, and nothing else."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from openpy.script import dialects
from openpy.script.corenames import FIRST_NAMES
from openpy.script.lexer import KEYWORDS
from openpy.script.preprocessor import INCLUDES
from openpy.script.syntax import (
    And,
    Arithmetic,
    ArithmeticTruth,
    Assignment,
    BitNot,
    Blacklist,
    BlacklistRule,
    Block,
    Break,
    Call,
    Case,
    Comparison,
    CoreParameter,
    Drop,
    Empty,
    Exit,
    Expression,
    FlagName,
    FlagNames,
    If,
    LoadModule,
    ModuleParameter,
    Myself,
    Name,
    Network,
    Not,
    Null,
    Number,
    Operand,
    Or,
    PseudoVariable,
    Return,
    Route,
    RouteCall,
    RouteKind,
    Script,
    SocketId,
    Statement,
    String,
    Switch,
    TlsDomain,
    TopLevel,
    While,
)

RESERVED = {
    *KEYWORDS,
    *FIRST_NAMES,
    *INCLUDES,
    *dialects.WORDS,
    *dialects.SOCKET,
    *dialects.TOP_LEVEL,
    *("udp", "tcp", "tls", "sctp", "any", "flags", "socket", "mpath", "loadpath", "OPENPY"),
}
EQUALITY = ("==", "!=")
ORDER = (*EQUALITY, "<", ">", "<=", ">=")
ALL = (*ORDER, "=~", "!~")
ASSIGNMENTS = ("=", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=")

words = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True).filter(lambda word: word not in RESERVED)
texts = st.text(
    st.sampled_from("ab \\\"'$#!;{}()/*\n\r\t\a\0é\u20ac\udcc3\udca9\udcff") | st.characters(codec="utf-8"),
    max_size=8,
).map(lambda text: text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"))
integers = st.integers(-(2**31), 2**31 - 1)
numbers = st.builds(Number, st.integers(-9, 9) | integers)
strings = st.builds(String, texts)
variables = st.sampled_from(
    ("$ru", "$var(x)", "$retcode", "$avp(s:a)", "$hdr(X-Y)", "$(avp(i:3)[1])", "$(hdr(To){uri.user})")
).map(PseudoVariable)
hosts = words | st.sampled_from(("a.example.com", "3com.com", "10.0.0.1", "[::1]", "x-y.z"))
names = st.builds(Name, hosts.filter(lambda host: host[0] not in "[1"))
networks = st.sampled_from(("10.0.0.0/8", "10.0.0.0/255.0.0.0", "[::1]", "1.2.3.4")).map(Network)
labels = words | st.integers(0, 39).map(str) | texts.filter(bool)
null = st.just(Null())
myself = st.just(Myself())


def _comparisons() -> SearchStrategy[Expression]:
    def operands(*words: str) -> SearchStrategy[Operand]:
        return st.sampled_from(words).map(Operand)

    def signs(*signs: str) -> SearchStrategy[str]:
        return st.sampled_from(signs)

    uris = operands("uri", "from_uri", "to_uri", "status")
    addresses = operands("src_ip", "dst_ip")
    return st.one_of(
        st.builds(Comparison, variables, signs(*ORDER), numbers),
        st.builds(Comparison, variables, signs(*ALL), strings | variables | names),
        st.builds(Comparison, variables, signs(*EQUALITY), null | myself),
        st.builds(Comparison, operands("method") | uris | addresses, signs(*ALL), strings | names),
        st.builds(Comparison, uris | addresses, signs(*EQUALITY), myself),
        st.builds(Comparison, addresses, signs(*EQUALITY), networks),
        st.builds(Comparison, operands("src_port", "dst_port", "msg:len"), signs(*ORDER), numbers),
        st.builds(Comparison, operands("proto"), signs(*ORDER), st.just(Name("UDP"))),
        st.builds(Comparison, myself, signs(*EQUALITY), uris | addresses),
    )


comparisons = _comparisons()
sockets_as_arguments = st.sampled_from(("udp:1.2.3.4:5060", "tls:a.b", "myself", "uri:5060")).map(Name)
arguments = numbers | strings | variables | names | null | sockets_as_arguments
calls = st.builds(Call, words, st.lists(arguments, max_size=3).map(tuple))
route_calls = st.builds(RouteCall, labels)
jumps = st.builds(Return, integers | variables) | st.just(Exit()) | st.just(Drop())

arithmetic: SearchStrategy[Expression] = st.recursive(
    numbers | strings | variables | names | comparisons | calls | route_calls,
    lambda inner: st.builds(Arithmetic, inner, st.sampled_from("+-*/%&|^"), inner) | st.builds(BitNot, inner),
    max_leaves=6,
)
assignments = st.builds(Assignment, variables, st.sampled_from(ASSIGNMENTS), arithmetic) | st.builds(
    Assignment, variables, st.sampled_from(("=", ":=")), null
)
plain = st.one_of(calls, route_calls, assignments, jumps)


def conditions(statements: SearchStrategy[Statement] | None = None) -> SearchStrategy[Expression]:
    leaves: SearchStrategy[Expression] = st.one_of(
        variables, numbers, comparisons, plain, st.builds(ArithmeticTruth, arithmetic)
    )
    if statements is not None:
        block = blocks(statements)
        leaves = leaves | block | st.builds(If, variables, block, st.none() | block)
    return st.recursive(
        leaves,
        lambda inner: st.builds(And, inner, inner) | st.builds(Or, inner, inner) | st.builds(Not, inner),
        max_leaves=4,
    )


def blocks(statements: SearchStrategy[Statement]) -> SearchStrategy[Block]:
    @st.composite
    def block(draw: st.DrawFn) -> Block:  # shown as "block()": hypothesis would show all that it is made of
        return Block(tuple(draw(st.lists(statements, max_size=3))))

    return block()


def _switches(statements: SearchStrategy[Statement]) -> SearchStrategy[Switch]:
    inner = st.lists(statements.filter(lambda node: not isinstance(node, Break)), max_size=2).map(tuple)
    cases = st.lists(st.builds(Case, numbers | strings, inner, st.booleans()), min_size=1, max_size=3)
    default = st.lists(st.builds(Case, st.none(), inner, st.booleans()), max_size=1)
    return st.builds(lambda subject, cases, last: Switch(subject, (*cases, *last)), variables, cases, default)


def _nested(inner: SearchStrategy[Statement]) -> SearchStrategy[Statement]:
    block, condition = blocks(inner), conditions(inner)
    return st.one_of(
        st.builds(If, condition, block, st.none() | block),
        st.builds(While, condition, block),
        _switches(inner),
    )


statements: SearchStrategy[Statement] = st.recursive(
    plain | st.just(Empty()) | st.just(Break()), _nested, max_leaves=8
)


def _routes() -> SearchStrategy[Route]:
    named = st.sampled_from((RouteKind.REQUEST, RouteKind.FAILURE, RouteKind.ONREPLY, RouteKind.BRANCH))
    whole = (
        (RouteKind.REQUEST, "0"),
        (RouteKind.ONREPLY, ""),
        (RouteKind.ERROR, ""),
        (RouteKind.EVENT, "core:x-y"),
    )
    keys = st.tuples(named, labels) | st.sampled_from(whole)
    return st.builds(lambda key, body: Route(key[0], key[1], body), keys, blocks(statements))


ports = st.integers(0, 65535)
protocols = st.sampled_from(("udp", "tcp", "tls", "sctp", "any"))
sockets = st.builds(SocketId, st.none() | protocols, hosts, st.none() | ports)
parameters = st.builds(CoreParameter, words, numbers | strings | names)
items: SearchStrategy[TopLevel] = st.one_of(
    parameters,
    st.builds(
        CoreParameter,
        st.sampled_from(("listen", "alias")),
        st.none(),
        st.lists(sockets, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(LoadModule, strings),
    st.builds(ModuleParameter, strings, strings, numbers | strings),
    st.builds(
        FlagNames,
        st.lists(st.builds(FlagName, words, st.none() | st.integers(0, 31)), min_size=1, max_size=3).map(
            tuple
        ),
    ),
    st.builds(
        Blacklist,
        words,
        st.lists(
            st.builds(
                BlacklistRule, st.booleans(), protocols, networks.map(lambda net: net.text), ports, texts
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
    st.builds(
        TlsDomain,
        st.sampled_from(("tls_server_domain", "tls_client_domain")),
        st.sampled_from(("10.0.0.1:5061", "a.b:1")),
        st.lists(parameters, max_size=2).map(tuple),
    ),
    _routes(),
)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """A whole script."""
    return Script("random.cfg", tuple(draw(st.lists(items, max_size=4))))

"""What each pseudo-variable of the core is, in a few words; for the reference and for editors."""

from __future__ import annotations


def _identity(prefix: str, long: str) -> dict[str, str]:
    """The From and To families."""
    header = long.capitalize()
    return {
        f"{prefix}u": f"The URI of {header}",
        f"{prefix}U": f"The user of the URI of {header}",
        f"{prefix}d": f"The host of the URI of {header}",
        f"{prefix}t": f"The tag of {header}",
        f"{prefix}n": f"The display name of {header}, as written",
        long: f"The same as ${prefix}u",
        f"{long}.user": f"The same as ${prefix}U",
        f"{long}.domain": f"The same as ${prefix}d",
    }


def _uri(prefix: str, what: str) -> dict[str, str]:
    """The parts of a URI."""
    return {
        f"{prefix}u": what,
        f"{prefix}U": f"{what}: the user",
        f"{prefix}d": f"{what}: the host",
        f"{prefix}p": f"{what}: the port, else 5060",
        f"{prefix}P": f"{what}: the transport, else UDP",
    }


_DESTINATION = _uri("d", "The next hop, where it is not the Request-URI")
del _DESTINATION["dU"]

VARIABLE_DOCS: dict[str, str] = {
    "rm": "The method; in a reply that of CSeq",
    "rs": "The status code of a reply",
    "rr": "The reason phrase of a reply",
    **_identity("f", "from"),
    **_identity("t", "to"),
    **_uri("r", "The Request-URI as it stands now"),
    "ruri": "The same as $ru",
    "ruri.user": "The same as $rU",
    "ruri.domain": "The same as $rd",
    **_uri("o", "The Request-URI as it was received"),
    "ouri": "The same as $ou",
    **_DESTINATION,
    "duri": "The same as $du",
    "ds": "All destinations, as a Contact header",
    "br": "The first branch that was appended; assigning appends one",
    "bR": "All branches that were appended",
    "fs": "The socket that it leaves by: proto:address:port",
    "hdr": "A header by its name; the index counts its values, from the last with a minus, * takes all",
    "ci": "Call-ID",
    "cs": "The number of CSeq",
    "ct": "Contact, as written",
    "cT": "Content-Type, as written",
    "cl": "Content-Length",
    "ua": "User-Agent",
    "rb": "The body",
    "mb": "The whole message, as received",
    "ml": "The length of the message, in bytes",
    "mi": "The number of the message, in the order of arrival",
    "mf": "The flags of the message, as a number",
    "mF": "The flags of the message, in hexadecimal",
    "bf": "The flags of the branch, as a number",
    "bF": "The flags of the branch, in hexadecimal",
    "sf": "The flags of the script, as a number",
    "sF": "The flags of the script, in hexadecimal",
    "si": "The address that it came from",
    "src_ip": "The same as $si",
    "sp": "The port that it came from",
    "Ri": "The address that it came to",
    "Rp": "The port that it came to",
    "pr": "The transport that it came by",
    "proto": "The same as $pr",
    "au": "The user of the credentials, without a domain",
    "aU": "The username of the credentials, as written",
    "ar": "The realm of the credentials",
    "adu": "The URI of the credentials",
    "Au": "user@realm of credentials that were found right, else user@host of From",
    "ai": "The URI of P-Asserted-Identity",
    "pu": "The URI of P-Preferred-Identity",
    "pU": "The user of P-Preferred-Identity",
    "pd": "The host of P-Preferred-Identity",
    "pn": "The display name of P-Preferred-Identity",
    "re": "The URI of Remote-Party-ID",
    "rt": "The URI of Refer-To",
    "di": "The URI of Diversion",
    "var": "A variable of this run of the script; it starts at 0",
    "avp": "A value kept with the transaction, by name (s:x), number (i:5) or alias; the newest has index 0",
    "rc": "The code of the last function or route",
    "retcode": "The same as $rc",
    "pp": "The number of the process",
    "Ts": "The time, as a Unix timestamp",
    "Tf": "The time, as a text",
    "err.class": "In an error_route: the class of the error, 1 for a message that cannot be parsed",
    "err.level": "In an error_route: how bad it is",
    "err.rcode": "In an error_route: the status code to answer with",
    "err.info": "In an error_route: what is wrong",
    "err.rreason": "In an error_route: the reason phrase to answer with",
}

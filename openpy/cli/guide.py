"""What the server says when it is up: one line for operators, one screen for those who meet it first."""

from __future__ import annotations

from openpy import __version__
from openpy.engine.server import Server
from openpy.engine.sockets import Endpoint, bracketed


def banner(server: Server) -> str:
    """The sockets, one a line, as 1.3 prints them."""
    lines = [f"openpy {__version__}", "Listening on"]
    lines += [f"  {endpoint}" for endpoint in server.sockets.endpoints]
    return "\n".join(lines)


def guide(server: Server) -> str:
    """One screen: what runs, and the exact next commands."""
    endpoints = server.sockets.endpoints
    first = endpoints[0]
    domain = _domain(first)
    script = server.loaded.script.file if server.loaded else ""
    return f"""openpy {__version__}, serving {script}

  listening   {"  ".join(map(str, endpoints))}
  modules     {" ".join(server.modules)}
{_databases(server)}{_phones(server, domain)}
In a second terminal, watch alice:

  .venv/bin/openpyctl watch sip:alice@{domain}

In a third, publish for her; the watcher shows it at once:

  .venv/bin/openpyctl publish sip:alice@{domain} open --note "In a meeting"

After a change to the script, let the server go by it:

  .venv/bin/openpyctl reload

Ctrl-C stops the server; kill -9 loses nothing that it has acknowledged.
"""


def _domain(endpoint: Endpoint) -> str:
    """What a URI needs to reach this socket; 5060 goes without saying."""
    host = bracketed(endpoint.host)
    return host if endpoint.port == 5060 else f"{host}:{endpoint.port}"


def _phones(server: Server, domain: str) -> str:
    """What to do with phones, where they can register."""
    if "registrar" not in server.modules:
        return ""
    return f"\nLet two phones register, as sip:alice@{domain} and sip:bob@{domain}, and call one from the other.\n"


def _databases(server: Server) -> str:
    lines = []
    for database in server.databases.values():
        lines.append(f"  database    {database.url}")
        if database.url.scheme == "sqlite":
            lines.append(f"              to begin anew: stop, then rm -f {database.url.database}*")
    return "\n".join(lines) + "\n" if lines else ""

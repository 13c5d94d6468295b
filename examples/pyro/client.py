"""Uses the wiki that server.py serves: `python examples/pyro/client.py [uri]`. It needs Pyro5 and nothing of coopy."""

import sys

from Pyro5.api import Proxy


def main(uri: str = "PYRO:wiki@localhost:7766") -> None:
    """Write a page as if the wiki were here."""
    with Proxy(uri) as wiki:
        write = wiki.edit_page if wiki.history("Home") else wiki.create_page
        print("Home, revision", write("Home", "Welcome", author="a client"))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Uses the wiki that server.py serves: `python examples/xmlrpc/client.py [address]`. It needs nothing but Python, or XML-RPC in any other language."""

import sys
from xmlrpc.client import ServerProxy


def main(address: str = "http://127.0.0.1:7767") -> None:
    """Write a page as if the wiki were here."""
    with ServerProxy(address, allow_none=True, use_builtin_types=True) as wiki:
        write = wiki.edit_page if wiki.history("Home") else wiki.create_page
        print("Home, revision", write("Home", "Welcome", "a client"))


if __name__ == "__main__":
    main(*sys.argv[1:])

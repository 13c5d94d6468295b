"""A wiki for other processes, by XML-RPC: `python -m examples.xmlrpc.server [directory] [port]`. Ctrl-C ends it; so does kill -9, and nothing is lost."""

import sys
from contextlib import suppress
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCServer

from coopy import control, init_system
from coopy.serve import for_xmlrpc
from examples.wiki import Wiki


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    """A thread for each client: with the plain server, one that connects and says nothing holds up all others."""

    daemon_threads = True
    request_queue_size = 128  # each call is a connection of its own; where five wait already, the next one takes a second


def main(directory: str = "data/wiki", port: str = "7767") -> None:
    """Serve until interrupted."""
    address = ("127.0.0.1", int(port))
    with (
        control(init_system(Wiki, directory)) as wiki,
        Server(address, allow_none=True, use_builtin_types=True, logRequests=False) as server,
        suppress(KeyboardInterrupt),
    ):
        server.register_instance(for_xmlrpc(wiki))
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

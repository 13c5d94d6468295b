"""A wiki for other processes, by Pyro: `python -m examples.pyro.server [directory] [port]`. Ctrl-C ends it; so does kill -9, and nothing is lost."""

import sys

from Pyro5.api import Daemon

from coopy import control, init_system
from coopy.serve import for_pyro
from examples.wiki import Wiki


def main(directory: str = "data/wiki", port: str = "7766") -> None:
    """Serve until interrupted."""
    with control(init_system(Wiki, directory)) as wiki, Daemon(port=int(port)) as daemon:
        print(daemon.register(for_pyro(wiki), "wiki"), flush=True)
        daemon.requestLoop()


if __name__ == "__main__":
    main(*sys.argv[1:])

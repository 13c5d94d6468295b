import socket
from .core import command


@command()
def echo(*words):
    return " ".join(words)


@command("host")
def hostname():
    return socket.gethostname()

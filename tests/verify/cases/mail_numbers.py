"""A unique name for a message, made by the standard library from time, process and chance."""

from email.utils import make_msgid


class Outbox:
    def __init__(self):
        self.mails = {}

    def send(self, to, *, number=None):
        self.mails[number or make_msgid(domain="example.org")] = to


DOMAIN = Outbox
CALLS = (("send", "ann"), ("send", "bob"))
EXPECTED = 1, "send", r"mails"

"""An alphabetical list is another one in another country."""

import locale

LOCALE = True


class Directory:
    def __init__(self):
        self.names = []

    def add(self, name):
        self.names.append(name)
        self.names.sort(key=locale.strxfrm)


DOMAIN = Directory
CALLS = (("add", "Bob"), ("add", "Cy"), ("add", "ann"), ("add", "Di"))
EXPECTED = 3, "add", r"names\[\d+\]"

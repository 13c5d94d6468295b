"""`is` on strings holds for the object that the caller passed, and not for the one in a record."""


class Room:
    def __init__(self):
        self.host = ""
        self.log = []

    def enter(self, name):
        self.host = self.host or name

    def speak(self, name, text):
        self.log.append(f"{'*' if name is self.host else ''}{text}")


DOMAIN = Room
HOST = "".join(["the ", "host"])
CALLS = (("enter", HOST), ("speak", "guest", "hi"), ("take_snapshot",), ("speak", HOST, "welcome"), ("take_snapshot",))
EXPECTED = 3, "speak", r"log\[1\]"

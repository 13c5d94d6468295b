"""A counter on the class: it goes on after a snapshot, and begins anew after a restart."""


class Ticket:
    last = 0

    def __init__(self, text):
        Ticket.last += 1
        self.number, self.text = Ticket.last, text


class Tracker:
    def __init__(self):
        self.tickets = []

    def report(self, text):
        self.tickets.append(Ticket(text))


DOMAIN = Tracker
CALLS = (("report", "a"), ("report", "b"), ("report", "c"), ("report", "d"), ("report", "e"), ("report", "f"))
EXPECTED = 4, "report", r"tickets\[3\]\.number"

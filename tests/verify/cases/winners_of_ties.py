"""max() takes the first of equals, and a set has no first."""


class Poll:
    def __init__(self):
        self.votes = {}
        self.winners = {}

    def vote(self, question, *choices):
        for choice in choices:
            count = self.votes.setdefault(question, {})
            count[choice] = count.get(choice, 0) + 1

    def close(self):
        for question, count in self.votes.items():
            self.winners[question] = max(set(count), key=count.__getitem__)


DOMAIN = Poll
CALLS = (*(("vote", number, *(f"{letter}{number}" for letter in "abcdefghij")) for number in range(12)), ("close",))
EXPECTED = 13, "close", r"winners\[\d+\]"

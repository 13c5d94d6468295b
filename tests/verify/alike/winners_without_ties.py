"""max() over a set with a key that decides each tie."""


class Poll:
    def __init__(self):
        self.votes = {}
        self.winner = None

    def vote(self, *choices):
        for choice in choices:
            self.votes[choice] = self.votes.get(choice, 0) + 1
        self.winner = max(set(self.votes), key=lambda choice: (self.votes[choice], choice))


DOMAIN = Poll
CALLS = (("vote", *"abcdefgh"), ("vote", "c", "b"))

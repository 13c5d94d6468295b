class Team:
    def __init__(self):
        self.members = set()

    def __iter__(self):
        return iter(self.members)

    def __len__(self):
        return len(self.members)


class Crew:
    def __init__(self):
        self.members = set()

    def __iter__(self):
        yield from self.members


class App:
    def __init__(self):
        self.team = Team()
        self.crew = Crew()

    def join(self, *who):
        self.team.members.update(who)
        self.crew.members |= set(who)

    def a(self):
        return [m for m in self.team]

    def b(self):
        return ",".join(self.team)

    def c(self):
        return list(self.crew)

    def d(self):
        return sorted(self.team), len(self.team), sorted(self.crew)

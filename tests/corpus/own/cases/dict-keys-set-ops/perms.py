class Perms:
    def __init__(self):
        self.old = {}
        self.changes = []

    def sync(self, **new):
        for key in self.old.keys() - new.keys():
            self.changes.append(("-", key))
        common = self.old.keys() & new.keys()
        self.changes.append(list(common))
        for key, value in new.items() - self.old.items():
            self.changes.append(("+", key, value))
        self.old = new

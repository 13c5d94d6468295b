class Perms:
    def __init__(self):
        self.old = {}
        self.changes = []

    def sync(self, **new):
        for key in sorted(self.old.keys() - new.keys()):
            self.changes.append(("-", key))
        self.changes.append(len(self.old.keys() & new.keys()))
        self.changes.extend(k for k in self.old if k in new.keys())
        if self.old.keys() ^ new.keys():
            self.changes.append("differs")
        for key in self.old.keys():
            self.changes.append(key)
        self.old = new

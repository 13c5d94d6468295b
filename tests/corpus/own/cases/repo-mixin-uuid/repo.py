from collections.abc import MutableMapping
import uuid


class Rows(MutableMapping):
    def __init__(self):
        self.rows = {}

    def __getitem__(self, k):
        return self.rows[k]

    def __setitem__(self, k, v):
        self.rows[k] = (uuid.uuid4(), v)

    def __delitem__(self, k):
        del self.rows[k]

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


class Repo2:
    def __init__(self):
        self.rows = Rows()

    def a(self, **kw):
        self.rows.update(kw)

    def b(self, k):
        self.rows.setdefault(k, 1)

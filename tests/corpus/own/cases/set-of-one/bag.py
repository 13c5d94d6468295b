class Bag:
    def __init__(self):
        self.out = []
        self.only = {"first"}

    def put(self, name):
        for one in {name}:
            self.out.append(one)
        self.out.extend(list({name, }))
        self.out.append(next(iter({name})))
        self.out.append("".join(frozenset((name,))))
        (one,) = frozenset([name])
        self.out.append({name}.pop())
        self.out.append([x for x in {one}])
        return list(self.only)

class Bag:
    def __init__(self):
        self.only = {"first"}
        self.out = []

    def put(self, name):
        self.only.add(name)
        return None

    def listed(self, name):
        seen = {name}
        seen |= {"x", "y", "z"}
        self.out.extend(seen)
        return list(self.only)

    def both(self, name):
        names = {name}
        more = names.union(("p", "q", "r", "s"))
        self.out += list(more)
        self.walk(names)

    def walk(self, todo):
        while todo:
            one = todo.pop()
            self.out.append(one)
            if len(one) < 4:
                todo.update((one + "k", one + "l", one + "m"))

def letters(text):
    return {c for c in text}


def both(a, b):
    return a | b


class Words:
    def __init__(self):
        self.out = []

    def join(self, text):
        return "".join(letters(text))

    def first(self, text):
        return next(iter(letters(text)))

    def fstring(self, text):
        self.out.append(f"{letters(text)}")

    def mapping(self, text):
        self.out.append({c: 1 for c in letters(text)})

    def unpack(self, text):
        a, *b = letters(text)
        self.out.append(a)

    def star(self, text):
        return max(0, 1), (*letters(text),)

    def pop(self, text):
        found = both(letters(text), {"z"})
        return found.pop()

    def index(self, text):
        return list(letters(text))[0]

    def enum(self, text):
        self.out += [(i, c) for i, c in enumerate(letters(text))]

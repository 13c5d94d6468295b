import string


def tokens(text: str):
    return {w.strip(string.punctuation).lower() for w in text.split()}


class App:
    def __init__(self):
        self.index = {}
        self.order = []

    def add(self, doc, text):
        for t in tokens(text):
            self.index.setdefault(t, []).append(doc)

    def first(self, text):
        top = list(tokens(text))
        return top[0]

    def merge(self, a, b):
        both = tokens(a) & tokens(b)
        self.order = [*both, "end"]

    def sym(self, a, b):
        return "/".join(tokens(a) ^ tokens(b))

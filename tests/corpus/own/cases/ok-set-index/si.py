def tokens(text: str):
    return {w.lower() for w in text.split()}


class App:
    def __init__(self):
        self.index: dict[str, set[int]] = {}

    def add(self, doc, text):
        for t in sorted(tokens(text)):
            self.index.setdefault(t, set()).add(doc)

    def search(self, text):
        found = None
        for t in tokens(text):
            docs = self.index.get(t, set())
            found = docs if found is None else found & docs
        return sorted(found or ())

    def score(self, text):
        scores = {}
        for t in sorted(tokens(text)):
            for doc in sorted(self.index.get(t, ())):
                scores[doc] = scores.get(doc, 0) + 1
        return sorted(scores.items(), key=lambda kv: (-kv[1], kv[0]))

    def common(self, a, b):
        return len(tokens(a) & tokens(b)) / max(1, len(tokens(a) | tokens(b)))

    def drop(self, doc):
        for docs in self.index.values():
            docs.discard(doc)
        empty = {t for t, docs in self.index.items() if not docs}
        for t in empty:
            del self.index[t]
        return len(empty)

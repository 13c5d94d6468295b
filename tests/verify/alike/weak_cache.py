"""A weak cache that nobody looks at without making anew what is not there."""

import weakref


class Word:
    known = weakref.WeakValueDictionary()

    def __init__(self, text):
        self.text = text

    @classmethod
    def of(cls, text):
        word = cls.known.get(text)
        if word is None:
            word = cls.known[text] = cls(text)
        return word


class Text:
    def __init__(self):
        self.lengths = []

    def read(self, text):
        self.lengths += [len(Word.of(word).text) for word in text.split()]


DOMAIN = Text
CALLS = (("read", "a word a day"), ("read", "keeps a word away"))

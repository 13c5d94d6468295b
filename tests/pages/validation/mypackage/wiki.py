"""What the page takes for granted: a program of the reader's."""

from coopy import init_system
from mypackage.tools import age


class Page:
    def __init__(self, title, text, written):
        self.title = title
        self.text = text
        self.written = written


class Wiki:
    def __init__(self):
        self.pages = {}

    def rename_page(self, old, new):
        page = self.pages.pop(old)
        page.title = new
        self.pages[new] = page

    def delete_page(self, title):
        del self.pages[title]

    # docs/validation.md shows line 31.
    def create_page(self, title, text):
        if title in self.pages:
            raise ValueError(title)

        self.pages[title] = Page(title, text, age())


def open_wiki():
    return init_system(Wiki, "data/wiki")

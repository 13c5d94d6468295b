"""A wiki that has what Python has no `await` for."""

from coopy import readonly


class Wiki:
    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self._title = "Pages"

    def create_page(self, name: str, text: str) -> int:
        self.pages[name] = text
        return len(self.pages)

    @readonly
    def get_page(self, name: str) -> str:
        return self.pages[name]

    def __setitem__(self, name: str, text: str) -> None:
        self.pages[name] = text

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def title(self) -> str:
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title

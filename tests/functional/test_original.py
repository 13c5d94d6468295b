"""The original's documentation and tests, typed in as a user would: what ran with coopy 0.4 runs unchanged."""

import datetime
import os
import subprocess
import sys
from pathlib import Path

import pytest

import coopy.base
import coopy.clock
from coopy import clock, init_system
from coopy.base import init_persistent_system
from coopy.decorators import abort_exception, readonly, unlocked
from coopy.error import PrevalentError, UsageError
from coopy.tests.utils import TestSystemMixin


@pytest.fixture(autouse=True)
def working_directory(tmp_path, monkeypatch):
    """Default base directories are made where the program runs."""
    monkeypatch.chdir(tmp_path)


class Todo(object):
    def __init__(self):
        self.tasks = []

    def add_task(self, name, description):
        task = dict(name=name, description=description)
        self.tasks.append(task)


class WikiPage:
    def __init__(self, id, content, last_modified=None, parent=None):
        self.id = id
        self.content = content
        self.history = []
        self.last_modified = last_modified
        self.parent = parent
        self.last_modify = clock.now()


class Wiki:
    def __init__(self):
        self.pages = {}

    def create_page(self, page_id, content, parent=None):
        page = None
        if page_id in self.pages:
            page = self.pages[page_id]
        if not page:
            page = WikiPage(page_id, content, self._clock.now(), parent)
            self.pages[page_id] = page
        return page

    @readonly
    def get_page(self, id):
        if id in self.pages:
            return self.pages[id]
        else:
            return None

    def times(self):
        self.seen = (self._clock.now(), self._clock.utcnow(), self._clock.today())
        return self.seen

    def multiple_call_now(self):
        self.dt1 = self._clock.now()
        import time

        time.sleep(0.01)  # coopy: ignore[blocking] the original's own test waits here
        self.dt2 = self._clock.now()

    @abort_exception
    def add_page(self, wikipage):
        page = None
        wikipage.last_modify = coopy.clock.now()
        if wikipage.id in self.pages:
            page = self.pages[wikipage.id]
        if not page:
            self.pages[wikipage.id] = wikipage
            raise Exception("Exemple error")
        else:
            self.update_page(wikipage.id, wikipage.content)

    def update_page(self, page_id, content):
        self.pages[page_id].content = content

    @unlocked
    def unlocked_method(self):
        pass


def test_readme():
    persistent_todo_list = init_persistent_system(Todo())
    persistent_todo_list.add_task("Some Task Name", "A Task Description")
    persistent_todo_list.take_snapshot()
    persistent_todo_list.close()
    assert init_persistent_system(Todo()).tasks == [{"name": "Some Task Name", "description": "A Task Description"}]
    assert os.path.isdir("todo")


def test_usage_with_a_class():
    wiki = init_system(Wiki)
    assert wiki.basedir_abspath() == [os.path.abspath("wiki")]
    wiki.create_page("My First Page", "My First Page Content")
    wiki.close()


def test_usage_with_an_instance_and_a_path(tmp_path):
    wiki = init_system(Wiki())
    wiki.close()
    wiki = init_system(Wiki(), str(tmp_path / "log_files"))
    wiki.create_page("My First Page", "My First Page Content")
    wiki.close()
    wiki = init_system(Wiki(), str(tmp_path / "log_files"))
    page = wiki.pages["My First Page"]
    assert page.content == "My First Page Content"


def test_tutorial_in_two_programs(tmp_path):
    program = """
from coopy import init_system
from tests.functional.test_original import Wiki
wiki = init_system(Wiki(), "somedir")
{}
"""
    root = str(Path(__file__).parents[2])
    for line in ("wiki.create_page('My First Page', 'My First Page Content')", "print(wiki.pages['My First Page'].content)"):
        ran = subprocess.run(
            [sys.executable, "-c", program.format(line)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
    assert ran.stdout == "My First Page Content\n"


def test_clock():
    wiki = init_system(Wiki)
    now, utcnow, today = wiki.times()
    assert today == now.date()
    wiki.close()
    wiki = init_system(Wiki)
    assert wiki.seen == (now, utcnow, today)


def test_abort_exception():
    wiki = init_system(Wiki)
    with pytest.raises(Exception, match="Exemple error"):
        wiki.add_page(WikiPage("Home", "Welcome"))
    assert wiki.get_page("Home") is None
    wiki.create_page("Home", "Hello")
    wiki.add_page(WikiPage("Home", "Welcome"))
    wiki.unlocked_method()
    wiki.close()
    assert init_system(Wiki).get_page("Home").content == "Welcome"


def test_coopy():
    os.mkdir("coopy_test/")
    wiki = coopy.base.init_persistent_system(Wiki, basedir="coopy_test/")
    page_a = wiki.create_page("Home", "Welcome", None)
    date_a = page_a.last_modified
    page_b = wiki.create_page("coopy", "http://bitbucket.org/loogica/coopy", page_a)
    date_b = page_b.last_modified
    wiki.close()

    new_wiki = coopy.base.init_persistent_system(Wiki(), basedir="coopy_test/")
    assert "Home" == new_wiki.get_page("Home").id
    assert "Welcome" == new_wiki.get_page("Home").content
    assert "http://bitbucket.org/loogica/coopy" == new_wiki.get_page("coopy").content
    assert "Home" == new_wiki.get_page("coopy").parent.id
    assert date_a == new_wiki.get_page("Home").last_modified
    assert date_b == new_wiki.get_page("coopy").last_modified
    new_wiki.close()


def test_coopy_multiple_calls_now():
    os.mkdir("coopy_test/")
    wiki = coopy.base.init_persistent_system(Wiki, basedir="coopy_test/")
    wiki.multiple_call_now()
    dt1 = wiki.dt1
    dt2 = wiki.dt2
    wiki.close()
    new_wiki = coopy.base.init_persistent_system(Wiki(), basedir="coopy_test/")
    assert dt1 == dt2 == new_wiki.dt1 == new_wiki.dt2
    new_wiki.close()


def test_enable_clock():
    class DummyWiky:
        def __init__(self):
            pass

    dummy_wiki = DummyWiky()
    assert not hasattr(dummy_wiki, "_clock")
    TestSystemMixin().enable_clock(dummy_wiki)
    assert hasattr(dummy_wiki, "_clock")


def test_mock_clock():
    class DummyWiky:
        def __init__(self):
            pass

    dt = datetime.datetime.now()
    dummy_wiki = DummyWiky()
    TestSystemMixin().mock_clock(dummy_wiki, dt)
    assert dt == dummy_wiki._clock.now()


def test_mock_clock_of_a_system():
    wiki = init_system(Wiki)
    dt = datetime.datetime(2012, 9, 1, 12, 0)
    TestSystemMixin().mock_clock(wiki, dt)
    assert wiki.times()[0] == dt
    TestSystemMixin().enable_clock(wiki)
    assert wiki.times()[0] > datetime.datetime(2024, 1, 1)


@pytest.mark.parametrize("date", ["2020", None, datetime.time(12)])
def test_mock_clock_takes_dates_only(date):
    for domain in (init_system(Wiki), Wiki()):
        with pytest.raises(UsageError, match="is no time: pass a datetime, or a date"):
            TestSystemMixin().mock_clock(domain, date)


@pytest.mark.parametrize("date", [datetime.datetime(1969, 1, 1), datetime.date(1, 1, 1), datetime.datetime.max])
def test_mock_clock_of_a_system_takes_times_that_actions_can_have(date):
    """Time never goes back: at the end of all time there would be none left for the actions after it."""
    wiki = init_system(Wiki)
    with pytest.raises(UsageError, match="years 1970 to 9998"):
        TestSystemMixin().mock_clock(wiki, date)
    assert wiki.times()[0].year == datetime.datetime.now().year


def test_errors_keep_their_names():
    assert issubclass(PrevalentError, Exception)

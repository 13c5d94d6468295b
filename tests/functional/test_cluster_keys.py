"""Users with a key: its seed in a file, or with a token that says until when it counts. Nothing of either is ever shown."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from coopy.cluster import connection
from coopy.error import AuthenticationError, ClusterError, UsageError
from tests.functional.test_cluster_bad_days import LONG, impatient, wait_until
from tests.lone import Lone, problem_of
from tests.operators import Operator, make_key, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_user_with_a_key_whose_seed_stands_in_a_file(tmp_path: Path) -> None:
    """The servers know the key. Another one is refused, and no seed is shown."""
    good, other = make_key("user"), make_key("user")
    (tmp_path / "good.nk").write_text(f"{seed_of(good)}\n")
    (tmp_path / "other.nk").write_text(seed_of(other))
    with Lone(tmp_path, f"authorization {{ users: [ {{ nkey: {good.public_key.decode()} }} ] }}") as lone:
        with pytest.raises(AuthenticationError, match="Authorization Violation") as caught:
            lone.node(more=f"&credentials={tmp_path}/other.nk")
        assert seed_of(other) not in str(caught.value)
        node = lone.node(more=f"&credentials={tmp_path}/good.nk")
        assert node.add("a") == "a"


def test_a_token_that_ends_is_renewed_in_its_file_while_a_node_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator's servers have it: the file holds a key and what an account says of it, for a time. Whoever is let in no more is told."""
    monkeypatch.setattr(connection, "ATTEMPT", LONG)  # a server that stands still is waited for, until it says why
    operator, path = Operator(), tmp_path / "wiki.creds"
    with Lone(tmp_path, operator.configuration()) as lone:
        path.write_text(operator.credentials(ends=time.time() - 5))
        with pytest.raises(AuthenticationError, match="Authorization Violation"):
            lone.node(more=f"&credentials={path}")
        node = let_in_for_a_while(lone, operator, path)
        wait_until(lambda: "Authorization Violation" in problem_of(node))
        impatient(node, 0.5)
        with pytest.raises(ClusterError, match=r"was not sent.*Authorization Violation"):
            node.add("b")
        path.write_text("")
        wait_until(lambda: "holds no user's key" in problem_of(node))
        path.write_text(operator.credentials())
        impatient(node, LONG)
        assert node.add("c") == "c"
        lone.restart(operator.configuration(revoked=True))
        wait_until(lambda: "Authorization Violation" in problem_of(node))
        lone.restart(operator.configuration())
        assert node.add("d") == "cd"


def let_in_for_a_while(lone: Lone, operator: Operator, path: Path) -> Any:
    """A node whose token ends soon; later, where this machine takes longer to open one."""
    for seconds in (2, 8, 32, 128):
        path.write_text(operator.credentials(ends=time.time() + seconds))
        with suppress(AuthenticationError, ClusterError):  # before it has a connection, or in the middle
            return lone.node(more=f"&credentials={path}")
    raise AssertionError("it is never let in")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "some notes",
        lambda text: text.replace("BEGIN NATS USER JWT", "BEGIN"),
        lambda text: text.replace("BEGIN USER NKEY SEED", "BEGIN"),
        lambda text: text[: text.index("BEGIN USER NKEY SEED")],
        lambda text: text.replace("\nSU", "\nSX"),
        lambda text: text.replace("\nSU", "\nSUAAAA"),
    ],
)
def test_a_credentials_file_that_is_damaged_is_named_and_none_of_it_shown(tmp_path: Path, damage: Callable[[str], str]) -> None:
    """Before a server is asked."""
    whole = Operator().credentials()
    (tmp_path / "wiki.creds").write_text(damage(whole))
    with Lone(tmp_path) as lone, pytest.raises(UsageError, match=r"wiki\.creds holds no user's key.*Nothing was changed") as caught:
        lone.node(more=f"&credentials={tmp_path}/wiki.creds")
    assert not set(str(caught.value).split()) & {line for line in whole.split() if len(line) > 20}

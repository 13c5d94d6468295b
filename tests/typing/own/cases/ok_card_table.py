from __future__ import annotations
import abc, collections, datetime as dt, enum, functools, io, itertools, json, logging, pathlib, queue, random, re, sqlite3, string, sys, threading, typing as t
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from coopy import Clock, Random, Replica, System, View, clock, control, init_system, readonly

log = logging.getLogger(__name__)

class Suit(enum.Enum):
    A = "a"
    B = "b"
    @property
    def words(self) -> list[str]:
        return [self.value]

class Flag(enum.Flag):
    X = 1
    Y = 2

@dataclass(frozen=True)
class Card:
    suit: Suit
    n: int
    def others(self) -> list[Card]:
        return [Card(self.suit, i) for i in range(self.n)]
    def __add__(self, o: Card) -> Card:
        return Card(self.suit, self.n + o.n)

@dataclass(order=True)
class Hand:
    cards: list[Card] = field(default_factory=list)
    flags: Flag = Flag.X
    money: Decimal = Decimal(0)
    when: dt.datetime | None = None
    path: pathlib.Path = pathlib.Path("x")
    def value(self) -> int:
        total = 0
        for c in self.cards:
            total += c.n
        return total
    def __len__(self) -> int:
        return len(self.cards)
    def __iter__(self) -> t.Iterator[Card]:
        return iter(self.cards)
    def best(self) -> list[Card]:
        cards = sorted(self.cards, key=lambda c: c.n)
        cards.reverse()
        return cards

class Table:
    def __init__(self) -> None:
        self.deck: list[Card] = []
        self.hands: dict[str, Hand] = {}
        self.history: collections.deque[tuple[str, Card]] = collections.deque(maxlen=10)
        self.pattern = re.compile("x")
        self.path = pathlib.Path("x")
        self.limits: t.Mapping[str, int] = {}
        self.seq: t.Sequence[Card] = ()
        self.counter = collections.Counter[str]()
        self.callback: t.Callable[[str], list[str]] | None = None
        self.any: t.Any = None
        self.rates: dict[str, Decimal] = {}
        self.flags = Flag.X
        self.start: dt.datetime = dt.datetime(2020, 1, 1)

    def deal(self, name: str) -> Card:
        self._random.shuffle(self.deck)  # P: attr-defined
        card = self.deck.pop()
        self.hands.setdefault(name, Hand()).cards.append(card)
        self.history.append((name, card))
        return card

    @readonly
    def preview(self) -> list[Card]:
        cards = list(self.deck)
        self._random.shuffle(cards)  # P: attr-defined
        self._random.choice(cards)  # P: attr-defined
        self._random.seed(3)  # P: attr-defined
        log.info("x %s", self._clock.now())  # P: attr-defined
        self.any.append(3)  # O: coopy-mutate, coopy-readonly
        self.any.x = 3  # O: coopy-mutate, coopy-readonly
        return cards

    @readonly
    def texts(self) -> list[str]:
        if m := self.pattern.match("x"):
            print(m.group())
        self.path.read_text()
        self.path.mkdir()
        with self.path.open() as f:
            f.write("x")
            lines = f.readlines()
            lines.append("x")
        p = self.path / "x"
        p.write_text("x")
        names = self.callback("x") if self.callback else []
        names.append("x")  # O: coopy-mutate, coopy-readonly
        d = dict(self.limits)
        d["x"] = 1
        s = list(self.seq)
        s.append(Card(Suit.A, 1))
        top = self.counter.most_common(3)
        top.append(("x", 1))
        el = list(self.counter.elements())
        el.append("x")
        tot = self.counter + collections.Counter("x")
        tot["x"] += 1
        m2 = self.start.replace(year=3)
        delta = m2 - self.start
        delta *= 2
        fl = self.flags
        fl |= Flag.Y
        r = self.rates["x"]
        r += 1
        r = r.quantize(Decimal(1))
        for h in self.hands.values():
            v = h.value()
            v += 1
            b = h.best()
            b.append(Card(Suit.A, 1))
            c = list(h)
            c.append(Card(Suit.A, 1))
            fl = h.flags
            fl |= Flag.Y
            mon = h.money
            mon += 1
            for o in h.cards[0].others():
                print(o)
            oth = h.cards[0].others()
            oth.append(Card(Suit.A, 1))
            sm = h.cards[0] + h.cards[1]
            w = h.cards[0].suit.words
            w.append("x")
            print(sm)
        print(sys.getsizeof(self), file=sys.stderr)
        out = json.dumps({k: len(v) for k, v in self.hands.items()}).split(",")
        out.append("x")
        e = min(self.hands.items(), key=lambda kv: kv[1].value())[0].split()
        e.append("x")
        return lines + names

    def __getitem__(self, n: str) -> Hand:
        return self.hands[n]

    @readonly
    def dunder(self) -> int:
        x = self["x"]
        y = x.best()
        y.sort(key=id)
        return len(x)

    @readonly
    def lock_like(self, q: queue.Queue[int], ev: threading.Event, db: sqlite3.Connection) -> None:
        q.put(3)
        ev.set()
        db.execute("x").fetchall().append(3)
        db.row_factory = None

def use(table: System[Table]) -> None:
    table.deal("x")
    log.info("x", extra={"x": table.hands})
    names = sorted(table.hands, key=lambda n: table.hands[n].value())
    names.append("x")
    table.path.mkdir()
    table.path.with_suffix(".x").touch()
    cards = table.preview()
    cards.append(Card(Suit.A, 3))
    oth = table.deck[0].others()
    oth.append(Card(Suit.A, 3))
    best = table.hands["x"].best()
    best.append(Card(Suit.A, 3))
    best2 = table["x"].best()
    best2.append(Card(Suit.A, 3))
    top = table.counter.most_common(3)
    top.append(("x", 3))
    tot = table.counter + table.counter
    tot["x"] = 3
    tot.update("x")
    d = table.deck[0].suit.words
    d.append("x")
    table.any.append(3)  # O: coopy-mutate, coopy-readonly
    table.any.x = 3  # O: coopy-mutate, coopy-readonly
    m = table.pattern.findall("x")
    m.append("x")
    sp = table.path.name.split(".")
    sp.append("x")
    parts = list(table.path.parts)
    parts.append("x")
    ls = table.hands["x"].cards * 2
    ls.append(Card(Suit.A, 3))
    r = table.rates.get("x", Decimal(0))
    r += 1
    s = table.start
    s += dt.timedelta(1)
    f = table.flags
    f |= Flag.Y
    if table.callback:
        table.callback("x").append("y")  # O: coopy-mutate, coopy-readonly
    h = [*table.history]
    h.append(("x", Card(Suit.A, 1)))
    hh = list(table.history)[-1]
    n, c = hh
    n += "x"
    items = list(table.hands.items())
    items.append(("x", Hand()))
    k = dict(items)
    k["x"] = Hand()
    fr = frozenset(table.hands)
    st = fr | {"x"}
    cm = table.hands.keys() & {"x"}
    cm.add("x")
    lim = dict(table.limits)
    lim["x"] = 3
    sq = [*table.seq]
    sq.append(Card(Suit.A, 1))
    z = [0] * len(table.deck)
    z[0] = 3
    bits = [bool(x) for x in table.deck]
    bits[0] = True
    grid = [[c for c in h.cards] for h in table.hands.values()]
    grid[0].append(Card(Suit.A, 1))
    grid[0][0] = Card(Suit.B, 1)
    gd = {n: list(h.cards) for n, h in table.hands.items()}
    gd["x"].append(Card(Suit.A, 1))
    gd.setdefault("y", []).append(Card(Suit.A, 1))
    dd = collections.defaultdict(list, {n: list(h.cards) for n, h in table.hands.items()})
    dd["x"].append(Card(Suit.A, 1))
    cc = collections.Counter(c.suit for h in table.hands.values() for c in h.cards)
    cc[Suit.A] += 1
    gr = {k: list(g) for k, g in itertools.groupby(table.deck, key=lambda c: c.suit)}
    gr[Suit.A].append(Card(Suit.A, 1))
    a, b = zip(*[(n, h.value()) for n, h in table.hands.items()])
    print(a, b)
    sl = list(itertools.islice(table.deck, 3))
    sl.append(Card(Suit.A, 1))
    it = iter(table.deck)
    next(it)
    rv = table.deck[::-1]
    rv.append(Card(Suit.A, 1))
    hand = Hand(list(table.hands["x"].cards))
    hand.cards.append(Card(Suit.A, 1))
    hand.cards[0] = Card(Suit.A, 1)
    hand2 = Hand(table.hands["x"].cards)
    hand2.flags = Flag.Y
    hand3 = functools.reduce(lambda x, y: x, [Hand()])
    hand3.flags = Flag.X
    sio = io.StringIO()
    sio.write(table.deck[0].suit.value)
    random.shuffle(names)
    rng = random.Random(3)
    rng.seed(3)
    fracs = [Fraction(c.n) for c in table.deck]
    fracs.sort()
    tup = tuple(table.deck)
    tup += (Card(Suit.A, 1),)
    tt = string.Template("x")
    tt.template = "x"

from functools import reduce
from itertools import chain, groupby, islice, product, combinations
import json
import operator


def names(text):
    return frozenset(text.split())


class Ord:
    def __init__(self):
        self.out = []
        self.by = {}
        self.members = {"x"}

    def a_json(self, text):
        return json.dumps(list(names(text)))

    def b_zip(self, text):
        return dict(zip(names(text), range(99)))

    def c_groups(self, text):
        groups = {}
        for w in names(text):
            groups.setdefault(len(w), []).append(w)
        return groups

    def d_index(self, text):
        for i, w in enumerate(names(text)):
            self.by[w] = i

    def e_chain(self, text):
        return list(chain(names(text), ["z"]))

    def f_islice(self, text):
        return list(islice(names(text), 2))

    def g_reduce(self, text):
        return reduce(lambda a, b: a + b, names(text))

    def h_comb(self, text):
        return [a + b for a, b in combinations(names(text), 2)]

    def i_concat(self, text):
        out = ""
        for w in names(text):
            out += w
        return out

    def j_last(self, text):
        last = None
        for w in names(text):
            last = w
        return last

    def k_break(self, text):
        for w in names(text):
            if len(w) > 1:
                return w
        return None

    def l_nested(self, text):
        self.out += [[c for c in names(w)] for w in sorted(names(text))]

    def m_maxkey(self, text):
        return sorted(names(text), key=len)

    def n_minkey(self, text):
        return max(names(text), key=len)

    def o_str(self, text):
        return str(names(text))

    def p_state_pop(self, text):
        self.members |= names(text)
        return self.members.pop()

    def q_format(self, text):
        return "{}".format(names(text))

    def r_repr_list(self, text):
        return repr([*names(text)])

    def s_yield(self, text):
        return list(self._gen(text))

    def _gen(self, text):
        for w in names(text):
            yield w

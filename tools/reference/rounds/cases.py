"""What a case of a whole attempt is, and the cohorts that the cases are about."""
from typing import NamedTuple

from .cohort import Cohort
from .memory import Federation

GOOD = "success"


class Case(NamedTuple):
    name: str
    what: str
    rule: str
    expect: str          # "success": nobody breaks a rule; else the refusal that the case is about
    federation: object   # a Federation that has not run
    target: object = None  # the site from whose view it is told; nothing: the server
    also: tuple = ()     # other codes that fit the same breach


def five(minimum=4): return Cohort([0, 2, 3, 7, 9], 1, minimum, others=[8])
def eight(): return Cohort([0, 2, 3, 7, 9, 11, 12, 20], 1, 6)


def sparse(dropouts=1, n=65):
    """n sites of which `dropouts` may be missing, with one colluder: k = 4, t = 3 or, for two dropouts, k = 6, t = 4. The others in the
    roster are not invited."""
    return Cohort([2 * i + i // 20 for i in range(n)], 1, n - dropouts, others=[1000], sections=(5, 0), name="sparse attempt")


def case(name, what, rule, expect, script=None, cohort=None, also=(), **options):
    """From the server's view."""
    return Case(name, what, rule, expect, Federation(cohort or five(), script, **options), None, tuple(also))

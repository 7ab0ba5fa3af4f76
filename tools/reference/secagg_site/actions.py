"""What an attempt asks its driver to do; carried out strictly in order."""
from typing import NamedTuple

from .encodings import Refusal
from .plan import Plan


class Send(NamedTuple):
    message: bytes


class SendInput(NamedTuple):
    """The header, then the payload in pieces."""
    header: bytes
    payload: bytes


class Persist(NamedTuple):
    """Must be durable before the actions behind it (SA-120)."""
    kind: str
    fields: dict


class Consider(NamedTuple):
    """The plan keeps the protocol's rules: the driver answers with `accept` or `refuse`."""
    plan: Plan


class Completed(NamedTuple):
    survivors: list


class Aborted(NamedTuple):
    refusal: Refusal

"""The form of a case: one JSON object a file, its keys in the order given, a list of objects with one a line."""
import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "spec/vectors"


def dumped(case):
    lines = []
    for key, value in case.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            inner = ",\n  ".join(json.dumps(v, ensure_ascii=False) for v in value)
            lines.append(f"{json.dumps(key)}: [\n  {inner}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def write(topic, cases):
    """Writes a topic's cases, given as (name, case); gives how many."""
    folder = FOLDER / topic
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    names = set()
    for name, case in cases:
        assert re.fullmatch(r"[a-z0-9-]+", name) and name not in names and {"what", "rule", "expect"} <= set(case), name
        names.add(name)
        (folder / f"{name}.json").write_text(dumped(case), encoding="utf-8")
    return len(names)


def read(topic):
    """A topic's cases, as (name, case)."""
    return [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted((FOLDER / topic).glob("*.json"))]


def head(what, rule="", expect="success", also=()):
    return {"what": what, "rule": rule, "expect": expect, **({"also": list(also)} if also else {})}

#!/usr/bin/env python3
"""Check an export of Paysite's audit trail: no entry was changed, removed, added or moved.

    python3 verify_export.py EXPORT.jsonl [HEADS.jsonl]

EXPORT.jsonl comes from `manage.py export_audit` or from the compliance desk. HEADS.jsonl is the
file of noted heads (AUDIT_ANCHOR_FILE); with it, a chain that was made anew is found as well.
Exit code 0: whole. 1: broken, and the first broken entry is named. 2: a file cannot be read.

This script needs Python 3.9 or newer and nothing else. How it works:

- Each line of the export is one entry with its place in the chain.
- An entry's hash is SHA-256 over the hash before it (32 bytes, all zero at position 1) and the
  entry as a JSON list of its fields, without spaces, keys in order, in UTF-8. Old entries have
  eleven fields, newer ones (version 2) also say for which person, in which role and with which
  program somebody acted, and what was so before and after.
- Each entry's `previous` must be the `hash` of the line before, and positions have no gaps.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

FIELDS = (
    "id", "at", "actor_kind", "actor_id", "actor_label", "address", "action", "subject_kind",
    "subject_id", "facts", "reason",
)  # fmt: skip
NEWER = ("version", "person", "role", "agent", "before", "after")
GENESIS = "0" * 64
LINE = {"position", "previous", "hash", *FIELDS}
FORMS = (2,)
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Broken(Exception):
    """The first thing that is wrong."""


def once(pairs):
    """Refuse a name that stands twice in an object: readers would see one value, we another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def parse(text, place):
    """One line of the export. Fractions keep their digits as they are written."""
    try:
        line = json.loads(text, parse_float=lambda digits: f"\0{digits}", object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{place} is not JSON: {error}") from None
    # Fractions are marked with a NUL, which no text of the trail holds: text must not pose as one.
    if NUL.search(text):
        raise Broken(f"{place} holds a character that no entry can hold")
    if not isinstance(line, dict) or set(line) not in (LINE, {*LINE, *NEWER}):
        raise Broken(f"{place} does not have the fields of an entry")
    if "version" in line and (type(line["version"]) is not int or line["version"] not in FORMS):
        raise Broken(f"{place} has a form that this script does not know")
    if type(line["position"]) is not int or type(line["id"]) is not int:
        raise Broken(f"{place} has no numbers for position and id")
    return line


def digest(line):
    """The hash that the entry must have."""
    entry = json.dumps(
        [line[name] for name in (*FIELDS, *NEWER) if name in line],
        ensure_ascii=False, sort_keys=True, separators=(",", ":"),
    )  # fmt: skip
    try:
        return hashlib.sha256(bytes.fromhex(line["previous"]) + entry.encode()).hexdigest()
    except (TypeError, ValueError):
        return ""


def begins(line, name, heads):
    """The first line may stand anywhere in the chain."""
    position = line["position"]
    if position < 1 or (position == 1 and line["previous"] != GENESIS):
        raise Broken(f"{name} does not begin the chain")
    if heads.get(position - 1, line["previous"]) != line["previous"]:
        raise Broken(f"{name} does not follow on the head noted before it")


def follows(line, name, before):
    """Every other line is the next one of the chain."""
    if line["position"] != before["position"] + 1:
        raise Broken(f"{name} does not follow on position {before['position']}")
    if line["previous"] != before["hash"]:
        raise Broken(f"{name} does not follow on the hash of the entry before")


def check(lines, heads):
    """Follow the chain. Returns how many entries there were, the last one, and heads compared."""
    count = compared = 0
    before = None
    for number, text in enumerate(lines, start=1):
        line = parse(text, f"line {number}")
        name = f"entry {line['id']} (position {line['position']}, line {number})"
        if before is None:
            begins(line, name, heads)
        else:
            follows(line, name, before)
        if digest(line) != line["hash"]:
            raise Broken(f"{name} was altered: it does not give its hash")
        noted = heads.get(line["position"])
        if noted not in (None, line["hash"]):
            raise Broken(f"{name} does not have the hash that was noted for its position")
        count, compared, before = count + 1, compared + bool(noted), line
    return count, before, compared


def read_heads(path):
    """Position and hash of every noted head."""
    heads = {}
    with Path(path).open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                line = json.loads(text)
                position, noted = line["position"], line["hash"]
            except (ValueError, TypeError, KeyError):
                raise Broken(f"line {number} of the noted heads cannot be read") from None
            if type(position) is not int:
                raise Broken(f"line {number} of the noted heads cannot be read")
            if heads.setdefault(position, noted) != noted:
                raise Broken(f"position {position} was noted with two hashes")
    return heads


def main(arguments):
    """Read, check, say."""
    export, *noted = arguments or [""]
    if not export or len(noted) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        heads = read_heads(noted[0]) if noted else {}
        # Only \n ends a line: text may hold other characters that some take for line ends.
        with Path(export).open(encoding="utf-8", newline="\n") as lines:
            count, last, compared = check(lines, heads)
    except Broken as broken:
        print(f"BROKEN: {broken}.")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"Cannot read: {error}", file=sys.stderr)
        return 2
    if not count:
        print("The export is empty.")
        return 0
    print(f"Whole: {count} entries, up to position {last['position']} with hash {last['hash']}.")
    print(f"Noted heads compared: {compared}.")
    if not compared:
        print("Without one, nobody can tell whether the chain as a whole was made anew.")
    later = max(heads, default=0)
    if later > last["position"]:
        print(f"The chain goes on after this export: a head is noted at position {later}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

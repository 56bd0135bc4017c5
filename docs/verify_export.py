#!/usr/bin/env python3
"""Check an export of Paysite's audit trail: no entry was changed, removed, added or moved.

    python3 verify_export.py EXPORT.jsonl [HEADS.jsonl]
    python3 verify_export.py --proofs PROOFS.jsonl [HEADS.jsonl | HASH]

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

PROOFS.jsonl comes from `manage.py prove_audit` or from a search on the desk. Each line proves by
itself that one entry stands in the trail, if its block's hash is the one in HEADS.jsonl or HASH:

- The entries' hashes of a block are the leaves of a Merkle tree as in RFC 6962: a leaf is SHA-256
  over a zero byte and the hash, a node over a one byte and its two parts.
- A block's hash is SHA-256 over a two byte, the hash of the block before, its number, its first and
  its last position (8 bytes each, the highest first), and the root of its tree.
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
BLOCK = {"number", "first", "last", "previous", "hash"}
LINE = {"position", "previous", "hash", *FIELDS}
FORMS = (2,)
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


START = '{"position": '
HASH = re.compile(r"[0-9a-f]{64}")


class Broken(Exception):
    """The first thing that is wrong."""


def once(pairs):
    """Refuse a name that stands twice in an object: readers would see one value, we another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def load(text, place):
    """A line of JSON. Fractions keep their digits as they are written."""
    try:
        line = json.loads(text, parse_float=lambda digits: f"\0{digits}", object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Broken(f"{place} is not JSON: {error}") from None
    # Fractions are marked with a NUL, which no text of the trail holds: text must not pose as one.
    if NUL.search(text):
        raise Broken(f"{place} holds a character that no entry can hold")
    return line


def parse(text, place):
    """One line of the export."""
    return checked(load(text, place), place)


def checked(line, place):
    """An entry with all its fields."""
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


def climb(line, block, path):
    """The root of the block's tree, or nothing when the path does not fit."""
    index, size = line["position"] - block["first"], block["last"] - block["first"] + 1
    found = hashlib.sha256(b"\0" + bytes.fromhex(line["hash"])).digest()
    steps = [bytes.fromhex(step) for step in path]
    while size > 1:
        if index % 2 or index + 1 < size:
            if not steps:
                return b""
            beside = steps.pop(0)
            pair = beside + found if index % 2 else found + beside
            found = hashlib.sha256(b"\1" + pair).digest()
        index, size = index // 2, (size + 1) // 2
    return b"" if steps else found


def block_hash(line, block, path):
    """The hash of the block that the entry and the path lead to."""
    try:
        top = climb(line, block, path)
        numbers = [block[name].to_bytes(8, "big") for name in ("number", "first", "last")]
        return hashlib.sha256(
            b"\2" + bytes.fromhex(block["previous"]) + b"".join(numbers) + top
        ).hexdigest()
    except (TypeError, ValueError, AttributeError, OverflowError):
        return ""


def check_proof(text, place, known):
    """One proof. Returns the entry, and whether its block's hash was compared."""
    proof = load(text, place)
    if not isinstance(proof, dict) or set(proof) != {"entry", "block", "path"}:
        raise Broken(f"{place} is not a proof")
    line, block, path = checked(proof["entry"], place), proof["block"], proof["path"]
    if not isinstance(block, dict) or set(block) != BLOCK or not isinstance(path, list):
        raise Broken(f"{place} is not a proof")
    numbers = [block[name] for name in ("number", "first", "last")]
    if any(type(number) is not int for number in numbers):
        raise Broken(f"{place} is not a proof")
    name = f"entry {line['id']} (position {line['position']}, {place})"
    if not 1 <= block["first"] <= line["position"] <= block["last"] < 2**62:
        raise Broken(f"{name} is not in its block")
    if digest(line) != line["hash"]:
        raise Broken(f"{name} was altered: it does not give its hash")
    if block_hash(line, block, path) != block["hash"]:
        raise Broken(f"{name} does not lead to the hash of its block")
    noted = known.get(block["number"], known.get(None))
    if noted not in (None, block["hash"]):
        raise Broken(f"{name} is in a block with another hash than the one that is known")
    return line, noted is not None


def check_proofs(lines, known):
    """Every proof. Returns how many there were, and how many blocks were compared."""
    count = compared = 0
    for number, text in enumerate(lines, start=1):
        line, is_compared = check_proof(text, f"line {number}", known)
        print(f"Entry {line['id']} stands in the trail at position {line['position']}.")
        count, compared = count + 1, compared + is_compared
    return count, compared


def prove(arguments):
    """Check a file of proofs against a hash, against noted heads, or against nothing."""
    path, *against = arguments
    known = {}
    if against and HASH.fullmatch(against[0]):
        known = {None: against[0]}
    elif against:
        known = read_blocks(against[0])
    with Path(path).open(encoding="utf-8", newline="\n") as lines:
        count, compared = check_proofs(lines, known)
    print(f"Whole: {count} proofs. Block hashes compared: {compared}.")
    if compared < count:
        print("Whoever makes up a block can prove anything: compare its hash with a noted one.")


def read_notes(path, place, digest):
    """A number and a hash from each line that has them. Power cuts leave the beginning of a line:
    it is named, and the others count.
    """
    found = {}
    with Path(path).open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, text in enumerate(lines, start=1):
            begun = text.rstrip("\n\0")
            try:
                line = json.loads(text)
                position, noted = line[place], line[digest]
            except (ValueError, TypeError, KeyError, RecursionError):
                if text.endswith("}\n") and f'"{place}"' not in text and '"position"' in text:
                    continue  # From before there were blocks.
                if (START.startswith(begun) or begun.startswith(START)) and begun[-1:] != "}":
                    print(f"Line {number} of the noted heads was cut short.")
                    continue
                raise Broken(f"line {number} of the noted heads cannot be read") from None
            if type(position) is not int or not isinstance(noted, str):
                raise Broken(f"line {number} of the noted heads cannot be read")
            if found.setdefault(position, noted) != noted:
                raise Broken(f"{place} {position} was noted with two hashes")
    return found


def read_heads(path):
    """Position and hash of every noted head."""
    return read_notes(path, "position", "hash")


def read_blocks(path):
    """Number and hash of every noted block."""
    return read_notes(path, "block", "block_hash")


def main(arguments):
    """Read, check, say."""
    proofs = arguments[:1] == ["--proofs"]
    export, *noted = arguments[proofs:] or [""]
    if not export or len(noted) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if proofs:
            prove([export, *noted])
            return 0
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

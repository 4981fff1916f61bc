"""Compares the resolver with the known answers in specs/vectors/space, or in files named on the command line."""

import json
import pathlib
import sys
import time

# Leaves nothing beside the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from credentials import body
from entries import Entry
from resolver import Resolver


def unhex(text):
    return bytes.fromhex(text)


def past(seen):
    return {unhex(feed): length for feed, length in seen.items()}


def entry(space, bodies, written):
    parts = body(unhex(bodies[written["body"]]), space)
    return Entry(unhex(written["feed"]), written["seq"], unhex(written["id"]), past(written["past"]), parts)


def expected(story):
    return {
        "members": {unhex(member["identity"]): member["role"] for member in story["members"]},
        "devices": sorted(unhex(device) for device in story["devices"]),
        "feeds": {unhex(feed["feed"]): feed["counts"] for feed in story["feeds"]},
        "stands": {unhex(feed["feed"]): feed["stands"] for feed in story["feeds"] if feed["stands"] is not None},
        "void": sorted((unhex(void["feed"]), void["seq"], void["part"]) for void in story["void"]),
        "epochs": {unhex(epoch["epoch"]): {k: epoch[k] for k in ("depth", "counts", "writable")} for epoch in story["epochs"]},
        "stops": story["write_stop"] is not None,
        "history": story["history"],
        "forks": {unhex(fork["feed"]): kept(fork) for fork in story.get("forks", [])},
    }


def kept(fork):
    said = fork["kept"]
    return (fork["common"], *((unhex(said["entry"]), unhex(said["by"]), (said["length"], unhex(said["root"]))) if said else (None, None, None)))


def only(mine, theirs):
    """What only one side says."""
    if isinstance(mine, (bool, str)):
        return f"{mine} here, {theirs} there"
    mine, theirs = ({repr(one) for one in (said.items() if isinstance(said, dict) else said)} for said in (mine, theirs))
    return f"here only {sorted(mine - theirs)}, there only {sorted(theirs - mine)}"


def differences(bodies, story):
    space = unhex(story["space"])
    resolver = Resolver([entry(space, bodies, written) for written in story["entries"]])
    mine, theirs = resolver.answers(), expected(story)
    found = [f"{what}: {only(mine[what], theirs[what])}" for what in mine if mine[what] != theirs[what]]
    for run in story["data"]:
        for seq, theirs in zip(run["at"], run["counts"]):
            counts = resolver.data_counts(unhex(run["feed"]), seq, unhex(run["epoch"]), past(run["past"]))
            if counts != theirs:
                found.append(f"data entry {seq} of {run['feed']}: counts is {counts} here")
    return found


def main():
    folder = pathlib.Path(__file__).parent.parent / "vectors" / "space"
    files = [pathlib.Path(name) for name in sys.argv[1:]] or [folder / f"{name}.json" for name in ("resolutions", "stories", "devices", "forks")]
    began, stories, wrong = time.monotonic(), 0, 0
    for path in files:
        file = json.loads(path.read_text())
        for name, story in file["stories"].items():
            stories += 1
            for difference in differences(file["bodies"], story):
                wrong += 1
                print(f"{path.name}, {name}: {difference}")
    print(f"{stories} stories resolved in {time.monotonic() - began:.1f} s, {wrong} differences")
    return 1 if wrong or not stories else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Who may include whom, and which library stands in which room (README,
Internals). Prints each breach; exit 1 with any."""
import glob, os, re, sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
MAY = {"modules": {"modules"}, "mesh": {"modules", "mesh"}, "lake": {"modules", "lake"},
       "engage": {"modules", "engage"}, "tui": {"modules", "tui"}}
ROOM = {"sqlite3.h": r"modules/cache_\w+\.[ch]", "curl/": r"modules/http\.c", "yaml.h": r"modules/yaml\.c",
        "curses.h": r"tui/curses\.c", "ncurses": r"tui/curses\.c", "microhttpd.h": r"modules/serve\.c",
        "expat.h": r"modules/xml\.c", "libpq": r"lake/postgresql\.c", "duckdb.h": r"lake/duckdb\.c"}
bad = 0


def say(text):
    global bad
    bad += 1
    print(text)


home = {os.path.basename(p): p.split("/")[0] for p in glob.glob("*/*.h")}
for path in sorted(glob.glob("modules/*.[ch]") + glob.glob("mesh/*.[ch]") + glob.glob("lake/*.[ch]") +
                   glob.glob("engage/*.[ch]") + glob.glob("tui/*.[ch]")):
    room = path.split("/")[0]
    text = open(path, encoding="utf-8").read()
    lines = text.split("\n")
    for i, line in enumerate(lines, 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            name = m.group(2)
            for lib, allowed in ROOM.items():
                if m.group(1) == "<" and name.startswith(lib) and not re.fullmatch(allowed, path):
                    say(f"{path}:{i}: {name} belongs in {allowed}")
            other = home.get(os.path.basename(name)) if m.group(1) == '"' else None
            if other and other not in MAY[room] and path != "tui/main.c":
                say(f"{path}:{i}: {room} includes {other}/{name}")
        if line != line.rstrip():
            say(f"{path}:{i}: blanks at the end of the line")
    if not text.startswith("/*"):
        say(f"{path}:1: a room says in its first lines what it is for")
    if len(lines) > 900:
        say(f"{path}: {len(lines)} lines: two rooms?")
sys.exit(1 if bad else 0)

#!/usr/bin/env python3
"""Runs every test of a build and ends with the line `N passed, N failed`.

    run.py BUILD [PART...]      parts: unit cli screen live (all unless named)

Unit tests are cmocka programs; the other parts are unittest files that get
KIBAN (the program) and FAKE (the folder of the fakes) by the environment. A
missing real component is a skip on a person's machine and a failure with
CI=true."""
import glob, os, re, subprocess, sys, tempfile, time, unittest

PARTS = ["unit", "cli", "screen", "live"]
LIMIT = 900  # seconds for one program


def unit(build):
    passed = failed = 0
    for path in sorted(glob.glob(f"{build}/tests/unit/*")):
        if path.endswith(".d") or not os.access(path, os.X_OK):
            continue
        began = time.time()
        try:
            p = subprocess.run([path], capture_output=True, timeout=LIMIT)
            out = (p.stdout + p.stderr).decode("utf-8", "replace")
            code = p.returncode
        except subprocess.TimeoutExpired as e:
            out, code = (e.stdout or b"").decode("utf-8", "replace"), "time limit"
        ok = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", out)))
        bad = sum(map(int, re.findall(r"\[  FAILED  \] [^\n]*?(\d+) test", out)))
        if code and not bad:
            bad = 1
        if not ok and not bad:
            bad = 1
        passed, failed = passed + ok, failed + bad
        print(f"unit {os.path.basename(path):20} {ok} passed"
              f"{f', {bad} FAILED ({code})' if bad else ''}  {time.time() - began:.1f} s", flush=True)
        if bad:
            print("\n".join(l for l in out.splitlines() if "[       OK ]" not in l and "[ RUN" not in l)[-6000:])
    return passed, failed, 0


def python(part):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), part)
    if not glob.glob(folder + "/test_*.py"):
        return 0, 0, 0
    suite = unittest.TestLoader().discover(folder, "test_*.py", top_level_dir=folder)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    # A test whose subtests fail is one test.
    bad = len({getattr(t, "test_case", t).id() for t, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    passed = max(0, result.testsRun - bad - skipped)
    if os.environ.get("CI") == "true":
        bad, skipped = bad + skipped, 0
    return passed, bad, skipped


def main():
    build, parts = os.path.abspath(sys.argv[1]), sys.argv[2:] or PARTS
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ["KIBAN"] = f"{build}/kiban"
    os.environ["FAKE"] = f"{build}/tests/fake"
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1")
    total = [0, 0, 0]
    for part in parts:
        got = unit(build) if part == "unit" else python(part)
        total = [a + b for a, b in zip(total, got)]
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the tests of the program share: a home of its own for each test, the
program run in it, and the fakes."""
import json, os, shutil, signal, subprocess, tempfile, time, unittest

KIBAN = os.environ.get("KIBAN", os.path.abspath("build/plain/kiban"))
FAKE = os.environ.get("FAKE", os.path.abspath("build/plain/tests/fake"))
CLEAN = ("KIBAN_", "XDG_", "NO_COLOR", "AWS_", "LC_")


class Result:
    def __init__(self, code, out, err):
        self.code, self.raw, self.err = code, out, err.decode("utf-8", "replace")
        self.out = out.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out[:3000]}\n--- stderr\n{self.err[:3000]}"


class Home(unittest.TestCase):
    """Every test has folders of its own; nothing of the machine's leaks in."""
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kiban-test-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        keep = {k: v for k, v in os.environ.items() if not k.startswith(CLEAN) or k == "KIBAN_ENVOY"}
        self.env = dict(keep, HOME=self.dir, XDG_CACHE_HOME=f"{self.dir}/cache", XDG_DATA_HOME=f"{self.dir}/data",
                        XDG_CONFIG_HOME=f"{self.dir}/config", LANG="C.UTF-8", TZ="UTC", TERM="xterm-256color")

    def config(self, text):
        os.makedirs(f"{self.dir}/config/kiban", exist_ok=True)
        path = f"{self.dir}/config/kiban/config.yaml"
        with open(path, "w") as f:
            f.write(text)
        return path

    def kiban(self, *args, code=0, stdin=b"", env=None, timeout=60, **more):
        p = subprocess.run([KIBAN, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(self.env, **(env or {})), timeout=timeout, cwd=self.dir, **more)
        r = Result(p.returncode, p.stdout, p.stderr)
        if code is not None:
            self.assertEqual(r.code, code, f"kiban {' '.join(args)}: {r!r}")
        self.assert_sentences(r.err)
        return r

    def assert_sentences(self, err):
        for line in err.splitlines():
            self.assertTrue(line.startswith("kiban: "), f"stderr: {line!r}")

    def refused(self, *args, says=()):
        """Exit 2, nothing on stdout, one sentence."""
        r = self.kiban(*args, code=2)
        self.assertEqual(r.out, "", r)
        self.assertEqual(len(r.err.splitlines()), 1, r)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, r.err)
        return r

    def faulty(self, *args):
        """The misbehaving server; returns its URL."""
        p = subprocess.Popen([f"{FAKE}/faulty", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (p.stdin.close(), p.stdout.close(), p.terminate(), p.wait()))
        return p.stdout.readline().decode().strip()

    def mesh(self, *envoys, more=""):
        lines = "".join(f"        - {e}\n" for e in envoys)
        return self.config(f"context: t\ncontexts:\n  t:\n    mesh:\n      envoys:\n{lines}{more}")


def wait_for(what, seconds=20, every=0.2):
    end = time.time() + seconds
    while True:
        got = what()
        if got or time.time() > end:
            return got
        time.sleep(every)

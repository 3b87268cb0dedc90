"""Frames of the screen, whole, against those kept in golden/; and the frames
that README shows. UPDATE=1 writes them anew: look at them before a commit."""
import glob, os, re, shlex, subprocess, unittest
from harness import Home, KIBAN

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SHOP = os.path.join(os.path.dirname(KIBAN), "tests", "screen", "shop")
NOW = "2026-11-23T03:14:07Z"
SIZES = ["40x10", "80x24", "200x60"]
SCREENS = {
    "home": ["home"],
    "findings": ["findings"],
    "services": ["mesh", "services"],
    "proxies": ["mesh", "proxies"],
    "endpoints": ["mesh", "endpoints"],
    "clusters": ["mesh", "clusters"],
    "routes": ["mesh", "routes"],
    "changed": ["changed"],
    "timeline": ["timeline"],
    "sources": ["sources"],
    "past": ["mesh", "services", "--at", "2026-11-23T03:05:00Z"],
    "empty": ["mesh", "certs"],
}
KEYS = {
    "filter": (["mesh", "endpoints"], "/payments<Enter>"),
    "sorted": (["mesh", "endpoints"], ":sort weight:desc<Enter>"),
    "marked": (["mesh", "endpoints"], "<Space><Down><Space>"),
    "describe": (["mesh", "endpoints"], "<Down>d"),
    "yaml": (["mesh", "endpoints"], "y"),
    "command": (["mesh", "endpoints"], "C"),
    "chart": (["mesh", "services"], "v"),
    "enter": (["mesh", "services"], "<Enter>"),
    "bad-only": (["mesh", "services"], "!"),
    "back": (["mesh", "services"], "<Enter><Esc>"),
    "help": (["mesh", "endpoints"], "?"),
    "unknown": (["mesh", "endpoints"], ":mesh proxis<Enter>"),
}


class Frames(Home):
    @classmethod
    def setUpClass(cls):
        cls.one = Home("setUp")
        cls.one.setUp()
        cls.one.env["KIBAN_NOW"] = NOW
        cls.one.config("context: prod\ncontexts:\n  prod:\n    mesh:\n      envoys: [http://10.0.1.7:9901]\n")
        subprocess.run([SHOP, "prod"], env=cls.one.env, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.one.doCleanups()

    def setUp(self):
        self.dir, self.env = self.one.dir, self.one.env

    def frame(self, words, keys, size):
        out = self.kiban(*words, "--play", keys, "--size", size).out
        self.assertEqual(len(out.splitlines()), int(size.split("x")[1]))
        self.assertNotIn("\x1b", out)
        return out

    def same(self, name, text):
        path = f"{HERE}/golden/{name}.screen"
        if os.environ.get("UPDATE"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").write(text)
        self.assertTrue(os.path.exists(path), f"no {path}: UPDATE=1 writes it")
        self.assertEqual(open(path).read(), text, name)

    def test_screens(self):
        for name, words in SCREENS.items():
            for size in SIZES:
                with self.subTest(f"{name} {size}"):
                    self.same(f"{name}-{size}", self.frame(words, "", size))

    def test_keys(self):
        for name, (words, keys) in KEYS.items():
            with self.subTest(name):
                self.same(name, self.frame(words, keys, "80x24"))

    def test_ascii_and_wide(self):
        self.same("services-ascii", self.kiban("mesh", "services", "--ascii", "--play", "", "--size", "80x24").out)

    def test_bad_keys(self):
        for keys in ("<Nope>", "<", "a\x01"):
            self.refused("mesh", "proxies", "--play", keys)

    def test_readme(self):
        text = open(f"{ROOT}/README.md").read()
        found = re.findall(r"<!-- frame: (.*?) -->\n```\n(.*?)```\n", text, re.S)
        for line, shown in found:
            with self.subTest(line):
                out = self.kiban(*shlex.split(line)).out
                self.assertEqual(shown.rstrip("\n"), out.rstrip("\n"))


if __name__ == "__main__":
    unittest.main()

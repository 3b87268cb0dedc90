"""The lab with real Envoys, end to end: what a newcomer sees and breaks."""
import json, os, shutil, subprocess, time, unittest
from harness import Home, KIBAN, wait_for


def envoy():
    here = os.path.dirname(os.path.abspath(__file__))
    import glob
    found = glob.glob(f"{here}/../../build/envoy/lib/python3*/site-packages/envoy/_bin/envoy")
    return os.environ.get("KIBAN_ENVOY") or (found[0] if found else shutil.which("envoy"))


@unittest.skipUnless(envoy(), "no Envoy: make envoy, or KIBAN_ENVOY")
class Lab(Home):
    """One lab for all of it: it takes seconds to come up."""

    @classmethod
    def setUpClass(cls):
        cls.one = Home("setUp")
        cls.one.setUp()
        cls.one.env["KIBAN_ENVOY"] = os.path.abspath(envoy())
        try:
            cls.one.kiban("lab", "up", timeout=60)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            cls.one.kiban("lab", "down", timeout=30)
        finally:
            left = subprocess.run(["pgrep", "-f", cls.one.dir], capture_output=True, text=True).stdout
            cls.one.doCleanups()
            if left:
                raise AssertionError(f"lab down left processes: {left}")

    def setUp(self):
        self.dir, self.env = self.one.dir, self.one.env

    def rows(self, *args, code=0):
        return self.kiban("--context", "lab", *args, "-o", "json", code=code).json

    def test_1_everything_is_up(self):
        parts = self.rows("lab", "status")
        self.assertTrue(all(p["state"] == "up" for p in parts), parts)
        began = time.time()
        self.kiban("lab", "up")
        self.assertLess(time.time() - began, 5)

    def test_2_views(self):
        proxies = self.rows("mesh", "proxies")
        self.assertGreaterEqual(len(proxies), 4)
        self.assertEqual({p["state"] for p in proxies}, {"LIVE"})
        services = wait_for(lambda: [s for s in self.rows("mesh", "services") if (s["rps"] or 0) > 1])
        names = {s["service"] for s in services}
        self.assertLessEqual({"orders", "payments", "stock"}, names | {"front"})
        for s in services:
            self.assertGreater(s["success"], 99, s)
            self.assertIsNotNone(s["p99"], s)
        for view in ("listeners", "routes", "clusters", "endpoints", "certs"):
            rows = self.rows("mesh", view)
            self.assertTrue(rows, view)
            self.assertEqual({r["status"] for r in rows} - {"ok"}, set(), view)

    def test_3_show_and_series(self):
        cluster = self.rows("mesh", "clusters")[0]
        one = self.rows("mesh", "clusters", "show", cluster["proxy"], cluster["cluster"])
        self.assertEqual(one[0]["cluster"], cluster["cluster"])
        self.kiban("--context", "lab", "mesh", "clusters", "show", "nope", "nope", code=1)
        series = self.rows("mesh", "services", "series", "rps", "orders", "--since", "1m")
        self.assertTrue(series)

    def cause(self, what, match):
        shown = self.rows("lab", "break", what)
        self.assertTrue(shown)
        # A proxy that doesn't answer makes any list partial: exit 5.
        got = wait_for(lambda: [r for r in self.rows("changed", "--since", "5m", code=None)[:3] if match(r)], 15, 0.5)
        self.assertTrue(got, self.kiban("--context", "lab", "changed", "--since", "5m", "-o", "wide", code=None).out)

    def test_4_break_and_mend(self):
        cases = [
            ("route", lambda r: r["op"] == "changed" and r["kind"] == "mesh_route" and r["field"] == "weight"),
            ("cert", lambda r: r["op"] == "changed" and r["kind"] == "mesh_cert" and r["field"] == "expires"),
            ("host", lambda r: r["op"] == "changed" and r["kind"] == "mesh_endpoint" and r["field"] == "health"),
            ("proxy", lambda r: r["op"] == "changed" and r["kind"] == "mesh_proxy" and r["field"] == "state"
             and r["new"] == "unreachable"),
        ]
        for what, match in cases:
            with self.subTest(what):
                try:
                    self.cause(what, match)
                finally:
                    self.kiban("lab", "mend", timeout=60)
                    self.assertTrue(wait_for(lambda: {p["state"] for p in self.rows("mesh", "proxies", code=None)} ==
                                             {"LIVE"}, 20))

    def test_5_slow(self):
        try:
            self.cause("slow", lambda r: r["op"] == "opened" and r["rule"] == "mesh.slow")
        finally:
            self.kiban("lab", "mend", timeout=60)

    def test_6_past(self):
        r = self.kiban("--context", "lab", "mesh", "proxies", "--at", "1s ago", "-o", "json")
        self.assertTrue(r.json)
        self.kiban("--context", "lab", "mesh", "proxies", "--at", "2d ago", code=6)

    def test_7_screen_equals_table(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        env = {"KIBAN_NOW": now}
        for view in ("proxies", "listeners", "routes", "clusters", "endpoints", "certs", "services"):
            with self.subTest(view):
                args = ["--context", "lab", "mesh", view, "--at", "1s ago"]
                table = self.kiban(*args, env=env).out.splitlines()
                frame = self.kiban(*args, "--play", "", "--size", "300x100", env=env).out.splitlines()
                self.assertEqual(len(frame), 100)
                for line in table[:90]:
                    self.assertIn(line, frame)

    def test_8_log_level(self):
        proxy = self.rows("mesh", "proxies")[0]["proxy"]
        rows = self.rows("mesh", "log-level", proxy, "http", "debug")
        self.assertEqual(rows[0]["result"], "done")
        self.assertEqual(rows[0]["new"], "debug")
        self.kiban("--context", "lab", "mesh", "log-level", proxy, "http", "debug", "--read-only", code=4)


if __name__ == "__main__":
    unittest.main()

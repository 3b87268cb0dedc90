"""Backends that fail: one clear sentence, the contract's exit code."""
import unittest, urllib.request
from harness import Home


class Faults(Home):
    def fails(self, url, code, *says, **more):
        self.mesh(url)
        r = self.kiban("mesh", "proxies", "-o", "json", "--timeout", "3s", code=code, **more)
        for word in says:
            self.assertIn(word, r.err)
        return r

    def test_refused_connection(self):
        r = self.fails("http://127.0.0.1:1", 6, "http://127.0.0.1:1", "connection refused")
        self.assertEqual(len([l for l in r.err.splitlines() if "note" not in l]), 1, r)

    def test_no_such_socket(self):
        self.fails("unix:/nowhere/a.sock", 6, "/nowhere/a.sock")

    def test_statuses(self):
        self.fails(self.faulty("--always", "/status/401"), 4, "401")
        self.fails(self.faulty("--always", "/status/403"), 4, "403")
        self.fails(self.faulty("--always", "/status/404"), 1, "404")
        self.fails(self.faulty("--always", "/status/500"), 1, "500")
        self.fails(self.faulty("--always", "/status/429/30"), 1, "429")

    def test_not_json(self):
        self.fails(self.faulty("--always", "/html"), 1)
        self.fails(self.faulty("--always", "/json-cut"), 1)
        self.fails(self.faulty("--always", "/truncated"), 1)

    def test_silent(self):
        self.fails(self.faulty("--always", "/silent"), 6, "timed out")
        self.fails(self.faulty("--always", "/stall"), 6)

    def test_huge(self):
        self.fails(self.faulty("--always", "/huge"), 1, timeout=120)

    def test_offline_says_that_nothing_is_there(self):
        self.mesh("http://127.0.0.1:1")
        r = self.kiban("mesh", "proxies", "-o", "json", "--offline", code=6)
        self.assertIn("kiban: ", r.err)

    def test_a_read_only_context_sends_no_write(self):
        url = self.faulty("--always", "/ok")
        self.mesh(url)
        r = self.kiban("mesh", "log-level", url, "debug", code=4)
        self.assertIn("read-only", r.err)
        self.assertEqual(self.kiban("journal", "-o", "json").json[0]["result"], "refused")
        self.assertEqual(urllib.request.urlopen(url + "/count").read().strip(), b"0")

    def test_trace_is_redacted(self):
        self.mesh("\n          {name: a, url: '%s', headers: {Authorization: 'Bearer s3cr3t-value'}}" %
                  self.faulty("--always", "/status/403"))
        self.kiban("mesh", "proxies", "--trace-http", f"{self.dir}/trace", code=4)
        text = open(f"{self.dir}/trace").read()
        self.assertIn("403", text)
        self.assertNotIn("s3cr3t-value", text)


if __name__ == "__main__":
    unittest.main()

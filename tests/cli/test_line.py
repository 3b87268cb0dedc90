"""The line: words, flags, sentences, exit codes (CONTRACT, "The line")."""
import os, subprocess, unittest
from harness import Home, KIBAN


class Line(Home):
    def test_version_and_help(self):
        self.assertRegex(self.kiban("--version").out, r"^kiban \d")
        out = self.kiban("--help").out
        for word in ("findings", "changed", "mesh", "--context", "sql"):
            self.assertIn(word, out)
        self.assertIn("proxies", self.kiban("mesh").out)
        self.assertIn("proxies", self.kiban("mesh", "--help").out)
        self.assertIn("success", self.kiban("mesh", "services", "-h").out)
        self.assertTrue(all(len(l) <= 80 for l in out.splitlines()), out)

    def test_unknown_words_name_the_nearest(self):
        self.refused("findngs", says="findings")
        self.refused("mesh", "proxis", says="proxies")
        self.refused("mesh", "proxies", "--limt", "3", says="--limit")
        self.refused("mesh", "proxies", "-o", "jsn", says="json")
        self.refused("mesh", "proxies", "--context", "lokal", says="local")
        self.refused("mesh", "proxies", "--columns", "prxy", says="proxy")
        self.refused("mesh", "proxies", "--sort", "stat", says="state")

    def test_bad_values(self):
        self.refused("mesh", "proxies", "--limit", "many", says="--limit")
        self.refused("mesh", "proxies", "--timeout", "soon", says="--timeout")
        self.refused("mesh", "proxies", "--at", "never", says="--at")
        self.refused("mesh", "proxies", "--at", "2999-01-01", says="future")
        self.refused("mesh", "proxies", "--filter", "(", says="--filter")
        self.refused("mesh", "proxies", "--where", "proxy =", says="--where")
        self.refused("mesh", "proxies", "--where", "nope = 1", says="nope")
        self.refused("mesh", "proxies", "--where", "1); DROP TABLE x; --")
        self.refused("mesh", "proxies", "--watch=0.1", says="--watch")

    def test_flags_that_exclude_each_other(self):
        self.refused("mesh", "proxies", "--refresh", "--offline")
        self.refused("mesh", "proxies", "--at", "1h ago", "--refresh")
        self.refused("findings", "--write", "--read-only")
        self.refused("tasks", "--at", "1h ago", says="--at")
        self.refused("mesh", "proxies", "--since", "1h", says="--since")

    def test_flags_stand_anywhere_and_the_last_wins(self):
        a = self.kiban("schema", "-o", "csv", "-o", "json").json
        b = self.kiban("-o=json", "schema").json
        self.assertEqual(a, b)
        self.assertIn("mesh_proxy", [r["name"] for r in a])

    def test_empty_formats(self):
        want = {"json": "[]\n", "ndjson": "", "yaml": "[]\n", "table": ""}
        for fmt, out in want.items():
            self.assertEqual(self.kiban("journal", "-o", fmt).out, out, fmt)
        for fmt in ("csv", "tsv"):
            self.assertEqual(len(self.kiban("journal", "-o", fmt).out.splitlines()), 1)

    def test_closed_and_full_stdout(self):
        p = subprocess.run(["sh", "-c", f"exec {KIBAN} schema >&-"], env=self.env, capture_output=True)
        self.assertEqual(p.returncode, 1, p)
        self.assertTrue(p.stderr.startswith(b"kiban: "), p)
        with open("/dev/full", "w") as full:
            p = subprocess.run([KIBAN, "schema"], env=self.env, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, 1, p)
        self.assertTrue(p.stderr.startswith(b"kiban: "), p)
        p = subprocess.run(["sh", "-c", f"{KIBAN} schema; echo $? >&2"], env=self.env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(p.stderr.strip(), b"0")

    def test_reader_that_left_is_quiet(self):
        p = subprocess.run(["bash", "-c", f"{KIBAN} schema -o json | true; echo ${{PIPESTATUS[0]}}"],
                           env=self.env, capture_output=True)
        self.assertEqual(p.stdout.strip(), b"0", p)
        self.assertEqual(p.stderr, b"")


class Sql(Home):
    def test_select_and_types(self):
        r = self.kiban("sql", "SELECT 1 AS a, 'x' AS b, NULL AS c, 1.5 AS d, x'00ff' AS e, 2 AS a", "-o", "json")
        self.assertEqual(r.json, [{"a": 1, "b": "x", "c": None, "d": 1.5, "e": "00ff", "a_2": 2}])

    def test_from_stdin(self):
        self.assertEqual(self.kiban("sql", "-", "-o", "json", stdin=b"VALUES (7)").json, [{"column1": 7}])

    def test_refused(self):
        for sql in ("DELETE FROM mesh_proxy", "PRAGMA user_version", "ATTACH '/tmp/x' AS x", "SELECT * FROM sqlite_master",
                    "SELECT load_extension('x')", "BEGIN", "INSERT INTO journal VALUES (1)", "SELECT 1; SELECT 2",
                    "CREATE TABLE x(y)", "SELECT * FROM pragma_table_info('x')", "SELEC 1", "", "VACUUM INTO '/tmp/x'"):
            with self.subTest(sql):
                self.refused("sql", sql)

    def test_a_time_limit(self):
        r = self.kiban("sql", "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                       "--timeout", "300ms", code=1)
        self.assertEqual(r.out, "")

    def test_hostile_bytes(self):
        hostile = "a\x1b]52;c;AAAA\x07b\u202ec\x9bd"
        sql = f"SELECT '{hostile}' AS v"
        self.assertEqual(self.kiban("sql", sql, "-o", "json").json, [{"v": hostile}])
        for fmt in ("table", "wide", "tsv", "yaml", "json", "ndjson"):
            out = self.kiban("sql", sql, "-o", fmt).raw
            self.assertNotIn(b"\x1b", out, fmt)
            self.assertNotIn(b"\x07", out, fmt)
        self.assertIn("\\x1b", self.kiban("sql", sql).out)
        self.assertIn("\\u202e", self.kiban("sql", sql).out)
        self.assertIn(hostile, self.kiban("sql", sql, "-o", "csv").out)


class Config(Home):
    def test_unknown_keys_name_place_and_nearest(self):
        path = self.config("contexts:\n  prod:\n    mesh:\n      envoy: []\n")
        r = self.kiban("config", "check", "-o", "json", code=2)
        self.assertEqual(r.json[0]["place"], f"{path}:4:7")
        self.assertIn("envoys", r.json[0]["text"] + (r.json[0]["remedy"] or ""))
        self.refused("mesh", "proxies", "--context", "prod", says=["4:7", "envoys"])
        self.kiban("mesh", "proxies", "--context", "local")
        self.kiban("--help")

    def test_broken_yaml(self):
        self.config("contexts: [\n")
        self.refused("mesh", "proxies", says="config.yaml")
        self.kiban("schema")
        self.kiban("config", "check", code=2)

    def test_contexts(self):
        self.config("context: b\ncontexts:\n  a: {}\n  b: {write: true}\n")
        rows = {r["name"]: r for r in self.kiban("context", "list", "-o", "json").json}
        self.assertEqual(set(rows), {"a", "b", "local"})
        self.assertTrue(rows["b"]["current"])
        self.assertEqual(rows["local"]["origin"], "built in")
        self.kiban("context", "use", "a")
        self.assertTrue({r["name"]: r for r in self.kiban("context", "list", "-o", "json").json}["a"]["current"])
        self.refused("context", "use", "c", says="a")

    def test_open_secrets_are_not_repeated(self):
        self.config("contexts:\n  a:\n    mesh:\n      envoys:\n"
                    "      - {url: 'http://h:1', key: k.pem, headers: {Host: hunter2, X-A: 'env:A'}}\n"
                    "      - http://bob:hunter2@h:1\n")
        got = {r["key"]: r["value"] for r in
               self.kiban("context", "show", "a", "-o", "json").json}
        self.assertNotIn("hunter2", str(got))
        self.assertEqual(got["mesh.envoys.0.headers.Host"], "[redacted]")
        self.assertEqual(got["mesh.envoys.0.headers.X-A"], "env:A")
        self.assertEqual(got["mesh.envoys.0.key"], "k.pem")
        for url in ("http://bob:hunter2@h:1", "HTTPS://bob:hunter2@h:1", "bob:hunter2@h:1"):
            self.config(f"contexts:\n  a:\n    mesh:\n      envoys: ['{url}']\n")
            for argv in (("mesh", "proxies"), ("sources",), ("doctor",)):
                p = self.kiban(*argv, "--context", "a", code=None)
                self.assertNotIn("hunter2", p.out + p.err, argv)
        p = self.kiban("mesh", "proxies", "--context", "a", code=None)
        self.assertIn("headers:", p.err)

    def test_users_own_nouns(self):
        self.config("""
views:
  - {module: mesh, name: named, help: proxies by name, sql: "SELECT context, proxy, state FROM mesh_proxy",
     key: [proxy], every_of: mesh_proxy, columns: [{name: proxy, title: PROXY}, {name: state}]}
rules:
  - {id: mesh.always, kind: mesh_proxy, severity: doubtful, reason: "always {proxy}", command: "mesh proxies",
     sql: "SELECT context, proxy, proxy AS object FROM mesh_proxy"}
""")
        self.assertEqual(self.kiban("mesh", "named", "-o", "json").json, [])
        self.assertIn("mesh_named", [r["name"] for r in self.kiban("schema", "-o", "json").json])
        self.assertEqual(self.kiban("config", "check", "-o", "json").json, [])


class Own(Home):
    def test_journal_and_mute(self):
        self.kiban("findings", "mute", "mesh.slow", "--for", "2h", "--because", "known")
        rows = self.kiban("journal", "-o", "json").json
        self.assertEqual(rows[0]["result"], "done")
        self.assertIn("findings mute", rows[0]["command"])
        self.refused("findings", "mute", "mesh.slow", says="--for")
        self.refused("findings", "mute", "mesh.slw", "--for", "1h", "--because", "x", says="mesh.slow")

    def test_corrupt_cache_is_set_aside(self):
        self.kiban("cache", "stats")
        path = f"{self.dir}/cache/kiban/cache.db"
        with open(path, "r+b") as f:
            f.write(b"not a database" * 100)
        r = self.kiban("journal")
        self.assertIn("corrupt", r.err)
        self.assertTrue(any(n.endswith(".corrupt") for n in os.listdir(f"{self.dir}/cache/kiban")))
        self.assertEqual(self.kiban("journal").err.count("corrupt"), 0)

    def test_modes_of_files(self):
        self.kiban("cache", "stats")
        self.assertEqual(os.stat(f"{self.dir}/cache/kiban/cache.db").st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(f"{self.dir}/cache/kiban").st_mode & 0o777, 0o700)


if __name__ == "__main__":
    unittest.main()

"""Real Envoys of the test's own: each column against the admin API, and each
change of config, health and liveness as it shows."""
import glob, http.client, json, os, shutil, signal, socket, subprocess, time, unittest
from harness import Home, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = {"name": "router", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
FAULT = {"name": "fault", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
    "delay": {"header_delay": {}, "percentage": {"numerator": 100}}}}


def envoy():
    found = glob.glob(f"{HERE}/../../build/envoy/lib/python3*/site-packages/envoy/_bin/envoy")
    return os.environ.get("KIBAN_ENVOY") or (found[0] if found else shutil.which("envoy"))


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def listener(name, port, prefix, routes=None, rds=None, tls=None, filters=()):
    hcm = {"@type": HCM, "stat_prefix": prefix, "http_filters": [*filters, ROUTER]}
    if rds:
        hcm["rds"] = {"route_config_name": "main", "config_source": {"path_config_source": {"path": rds}}}
    elif routes is not None:
        hcm["route_config"] = {"name": "inline", "virtual_hosts": [
            {"name": "v", "domains": ["*"], "routes": routes}]}
    chain = {"filters": [{"name": "hcm", "typed_config": hcm}]}
    if tls:
        chain["transport_socket"] = {"name": "tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificate_sds_secret_configs": [
                {"name": "web", "sds_config": {"path_config_source": {"path": tls}}}]}}}
    return {"name": name, "address": address(port), "filter_chains": [chain]}


def cluster(name, ports, **more):
    return {"name": name, "type": "STATIC", "connect_timeout": "0.5s", "load_assignment": {
        "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(p)}} for p in ports]}]},
        **more}


@unittest.skipUnless(envoy(), "no Envoy: make envoy, or KIBAN_ENVOY")
class Mesh(Home):
    """front sends to orders (two listeners of back) with outlier detection."""

    def setUp(self):
        super().setUp()
        self.sockets = os.path.join(self.dir, "s")
        os.mkdir(self.sockets)
        self.running = {}
        self.edge, self.tls, self.one, self.two = free_ports(4)

    def put(self, name, resources, version, kind):
        """As a control plane does: a new file renamed onto the old one."""
        types = {"lds": "listener.v3.Listener", "cds": "cluster.v3.Cluster", "rds": "route.v3.RouteConfiguration"}
        url = "type.googleapis.com/envoy.config." + types[kind] if kind in types else \
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        path = os.path.join(self.dir, name)
        with open(path + ".new", "w") as f:
            json.dump({"version_info": version, "resources": [{"@type": url, **r} for r in resources]}, f)
        os.rename(path + ".new", path)
        return path

    def start(self, name, config, **admin):
        path = os.path.join(self.dir, name + ".json")
        with open(path, "w") as f:
            json.dump({"admin": {"address": {"pipe": {"path": f"{self.sockets}/{name}.sock"}}, **admin},
                       "node": {"id": name + "-1", "cluster": name}, "stats_flush_interval": "1s", **config}, f)
        with open(os.path.join(self.dir, name + ".log"), "w") as log:
            p = subprocess.Popen([envoy(), "-c", path, "--disable-hot-restart", "--concurrency", "1",
                                  "--log-level", "error"], stdout=log, stderr=log)
        self.running[name] = p
        self.addCleanup(self.stop, name, p)
        self.assertTrue(wait_for(lambda: self.ready(name), 10), f"{name} is not LIVE")

    def ready(self, name):
        try:
            return self.admin(name, "/ready") == "LIVE\n"
        except OSError:
            return False

    def stop(self, name, p=None):
        p = p or self.running[name]
        if p.poll() is None:
            p.send_signal(signal.SIGCONT)
            p.terminate()
        p.wait(10)

    def admin(self, name, path):
        c = Unix(f"{self.sockets}/{name}.sock")
        try:
            c.request("GET", path)
            return c.getresponse().read().decode()
        finally:
            c.close()

    def shop(self):
        self.start("back", {"static_resources": {"listeners": [
            listener("a", self.one, "in", [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                     filters=[FAULT]),
            listener("b", self.two, "in", [{"match": {"prefix": "/bad"}, "direct_response": {"status": 500}},
                                           {"match": {"prefix": "/"}, "direct_response": {"status": 200}}])]}})
        self.routes(90, "r1")
        self.cert(300, "s1")
        self.put("cds.json", [cluster("orders", [self.one, self.two], outlier_detection={
            "consecutive_5xx": 3, "base_ejection_time": "60s", "max_ejection_percent": 100, "interval": "1s"}),
            cluster("tight", [self.one], circuit_breakers={"thresholds": [{"max_requests": 0}]})], "c1", "cds")
        self.listeners("l1")
        at = lambda f: {"path_config_source": {"path": f"{self.dir}/{f}"}}
        self.start("front", {"dynamic_resources": {"lds_config": at("lds.json"), "cds_config": at("cds.json")},
                             "static_resources": {"clusters": [cluster("idle", [1]), cluster("none:1", [])]}})
        self.mesh(f"unix:{self.sockets}/*.sock")

    def routes(self, weight, version):
        self.put("rds.json", [{"name": "main", "virtual_hosts": [
            {"name": "shop", "domains": ["shop.example", "*"], "routes": [
                {"match": {"prefix": "/tight"}, "route": {"cluster": "tight"}},
                {"match": {"prefix": "/"}, "route": {"timeout": "0.250s", "retry_policy": {
                    "retry_on": "connect-failure", "num_retries": 2}, "weighted_clusters": {"clusters": [
                        {"name": "orders", "weight": weight}, {"name": "idle", "weight": 0}]}}}]}]}], version, "rds")

    def listeners(self, version, *more):
        self.put("lds.json", [listener("edge", self.edge, "edge", rds=f"{self.dir}/rds.json"),
                              listener("tls", self.tls, "tls", [{"match": {"prefix": "/"}, "direct_response": {
                                  "status": 200}}], tls=f"{self.dir}/sds.json"), *more], version, "lds")

    def cert(self, days, version):
        files = [f"{self.dir}/{version}.key", f"{self.dir}/{version}.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", files[0], "-out",
                        files[1], "-days", str(days), "-subj", "/CN=x", "-addext", "subjectAltName=DNS:shop.example"],
                       check=True, capture_output=True)
        self.put("sds.json", [{"name": "web", "tls_certificate": {
            "certificate_chain": {"filename": files[1]}, "private_key": {"filename": files[0]}}}], version, "sds")

    def get(self, path, n=1, delay=0):
        for _ in range(n):
            c = http.client.HTTPConnection("127.0.0.1", self.edge, timeout=5)
            try:
                c.request("GET", path, headers={"x-envoy-fault-delay-request": str(delay)} if delay else {})
                c.getresponse().read()
            finally:
                c.close()

    def rows(self, *args, code=0):
        return self.kiban(*args, "-o", "json", code=code).json

    def fresh(self, view, code=0, **match):
        got = self.rows("mesh", view, "--refresh", code=code)
        return [r for r in got if all(r[k] == v for k, v in match.items())]

    def name(self, proxy):
        return f"unix:{self.sockets}/{proxy}.sock"

    def test_columns_against_the_admin_api(self):
        self.shop()
        self.fresh("services")
        self.get("/", 40, delay=20)
        self.get("/tight", 5)
        time.sleep(2.2)
        front, = self.fresh("proxies", node="front-1")
        self.assertEqual((front["proxy"], front["cluster"], front["version"], front["state"], front["cds"],
                          front["lds"]), (self.name("front"), "front", "1.40.0", "LIVE", "c1", "l1"))
        stats = {s["name"]: s["value"] for s in json.loads(self.admin("front", "/stats?format=json"))["stats"]
                 if "name" in s}
        self.assertAlmostEqual(front["uptime"], stats["server.uptime"], delta=4)
        at = {l["listener"]: (l["address"], l["state"]) for l in self.fresh("listeners", proxy=self.name("front"))}
        self.assertEqual(at, {"edge": (f"127.0.0.1:{self.edge}", "active"), "tls": (f"127.0.0.1:{self.tls}", "active")})
        routes = {(r["match"], r["target"]): (r["weight"], r["timeout"], r["retries"], r["domains"])
                  for r in self.fresh("routes", route_config="main")}
        self.assertEqual(routes[("prefix /", "orders")], (90, 0.25, 2, ["shop.example", "*"]))
        self.assertEqual(routes[("prefix /", "idle")], (0, 0.25, 2, ["shop.example", "*"]))
        self.assertEqual(routes[("prefix /tight", "tight")], (100, 15, 0, ["shop.example", "*"]))
        clusters = {c["cluster"]: c for c in self.fresh("clusters", proxy=self.name("front"))}
        self.assertEqual({n: (c["type"], c["lb"], c["hosts"], c["healthy"]) for n, c in clusters.items()}, {
            "orders": ("STATIC", "ROUND_ROBIN", 2, 2), "tight": ("STATIC", "ROUND_ROBIN", 1, 1),
            "idle": ("STATIC", "ROUND_ROBIN", 1, 1), "none:1": ("STATIC", "ROUND_ROBIN", 0, 0)})
        self.assertEqual((clusters["tight"]["breaker"], clusters["orders"]["breaker"]), ("open", None))
        self.assertEqual((clusters["orders"]["success"], clusters["tight"]["success"], clusters["idle"]["success"]),
                         (100, 0, None))
        counted = self.rows("sql", "SELECT rq, rq_5xx, tries, overflow FROM mesh_cluster WHERE cluster = 'orders'")
        self.assertEqual(counted, [{"rq": stats["cluster.orders.upstream_rq_completed"], "rq_5xx": 0,
                                    "tries": stats["cluster.orders.upstream_rq_total"], "overflow": 0}])
        hosts = {e["address"]: e for e in self.fresh("endpoints", cluster="orders")}
        self.assertEqual(set(hosts), {f"127.0.0.1:{self.one}", f"127.0.0.1:{self.two}"})
        self.assertEqual({(e["health"], str(e["reasons"]), e["ejected"], e["success"]) for e in hosts.values()},
                         {("healthy", "[]", False, 100)})
        cert, = self.fresh("certs")
        self.assertEqual((cert["path"], cert["sans"], cert["days"], cert["n"]), ("<inline>", ["shop.example"], 299, 1))
        real = json.loads(self.admin("front", "/certs"))["certificates"][0]["cert_chain"][0]
        self.assertEqual(cert["serial"], real["serial_number"])
        self.assertEqual(cert["expires"][:19] + "Z", real["expiration_time"])

    def test_services(self):
        self.shop()
        self.fresh("services")
        self.get("/", 40, delay=60)
        self.get("/tight", 4)
        time.sleep(2.2)
        services = {s["service"]: s for s in self.fresh("services")}
        # back is called as orders: by its own name nobody calls it, nor front.
        self.assertEqual(set(services), {"orders", "tight", "idle", "none:1", "front", "back"})
        orders, front = services["orders"], services["front"]
        self.assertGreater(orders["rps"], 0)
        self.assertEqual((orders["success"], orders["hosts"], orders["healthy"], orders["ejected"]), (100, 2, 2, 0))
        # Half of the hosts has the fault filter: p99 is its delay, p50 may be either.
        self.assertTrue(55 < orders["p99"] < 200, orders)
        self.assertEqual(len(orders["spark"]), 15)
        self.assertEqual(orders["unsampled"], 0)
        self.assertEqual((services["tight"]["success"], services["tight"]["p99"], services["tight"]["breaker"],
                          services["tight"]["unsampled"]), (0, None, "open", 4))
        self.assertIsNone(services["idle"]["success"])
        self.assertEqual((front["hosts"], front["healthy"]), (1, 1))
        self.assertAlmostEqual(front["success"], 100 * 40 / 44, delta=0.1)
        self.assertTrue(55 < front["p99"] < 250, front)

    def test_changes_of_config(self):
        self.shop()
        self.fresh("routes")
        self.routes(40, "r2")
        self.listeners("l2", listener("bad", free_ports(1)[0], "bad"))
        self.cert(3, "s2")
        self.assertTrue(wait_for(lambda: self.fresh("routes", target="orders")[0]["weight"] == 40, 5))
        self.assertTrue(wait_for(lambda: self.fresh("certs")[0]["days"] == 2, 5))
        bad = wait_for(lambda: self.fresh("listeners", listener="bad"), 5)
        self.assertEqual(bad[0]["state"], "rejected")
        self.assertIn("route_specifier", bad[0]["error"])
        changed = {(r["kind"], r["field"]) for r in self.rows("changed")}
        self.assertLessEqual({("mesh_route", "weight"), ("mesh_cert", "expires"), ("mesh_cert", "serial")}, changed)
        self.assertNotIn(("mesh_proxy", "uptime"), changed)
        rules = {f["rule"]: f for f in self.rows("findings")}
        self.assertLessEqual({"mesh.cert_expires", "mesh.listener_rejected"}, set(rules))
        self.assertEqual(rules["mesh.cert_expires"]["severity"], "bad")
        self.listeners("l3")
        wait_for(lambda: not self.fresh("listeners", listener="bad"), 5)
        self.assertNotIn("mesh.listener_rejected", {f["rule"] for f in self.rows("findings", "--refresh")})

    def test_ejected_hosts_and_no_healthy_one(self):
        self.shop()
        self.fresh("endpoints")
        self.stop("back")
        self.get("/", 12)
        rows = wait_for(lambda: [e for e in self.fresh("endpoints", 5, cluster="orders") if e["ejected"]], 5)
        self.assertTrue(rows)
        self.assertEqual((rows[0]["health"], "failed_outlier_check" in rows[0]["reasons"]), ("unhealthy", True))
        orders = [s for s in self.fresh("services", 5) if s["service"] == "orders"][0]
        self.assertEqual((orders["healthy"], orders["ejected"], orders["status"]), (0, 2, "bad"))
        rules = {f["rule"]: f for f in self.rows("findings", "--refresh", code=5)}
        self.assertEqual(rules["mesh.no_healthy_host"]["object"], "orders")
        self.assertEqual(rules["mesh.no_healthy_host"]["text"], "no healthy host (0 of 2)")
        self.assertEqual(rules["mesh.ejected"]["severity"], "bad")

    def test_liveness(self):
        self.shop()
        self.fresh("proxies")
        self.stop("back")
        back, = self.fresh("proxies", 5, node="back-1")
        # Envoy leaves its socket behind or not: either way nobody answers.
        self.assertIn(back["state"], ("unreachable", "gone"))
        self.assertEqual(back["version"], "1.40.0")
        self.assertIsNone(back["uptime"])
        if os.path.exists(f"{self.sockets}/back.sock"):
            self.assertIn("connection refused", back["error"])
            os.unlink(f"{self.sockets}/back.sock")
        back, = self.fresh("proxies", 0, node="back-1")
        self.assertEqual((back["state"], back["error"], back["status"]), ("gone", None, "bad"))
        self.assertIn("mesh.proxy_down", {f["rule"] for f in self.rows("findings", "--offline")})
        self.stop("front")
        for _ in range(2):
            self.kiban("mesh", "proxies", "--refresh", "--timeout", "2s", code=None)
        states = {p["node"]: p["state"] for p in self.rows("mesh", "proxies", "--offline")}
        self.assertEqual(states["back-1"], "gone")
        self.assertIn(states["front-1"], ("LIVE", "gone"))

    def test_none_answers(self):
        self.shop()
        self.fresh("proxies")
        for p in self.running.values():
            p.send_signal(signal.SIGSTOP)
        for _ in range(2):
            self.kiban("mesh", "proxies", "--refresh", "--timeout", "1s", code=None)
        self.assertEqual({p["state"] for p in self.rows("mesh", "proxies", "--offline")}, {"LIVE"})
        self.assertEqual([f["rule"] for f in self.rows("findings", "--offline")], ["mesh.no_backend"])
        for p in self.running.values():
            p.send_signal(signal.SIGCONT)
        self.fresh("proxies")
        self.assertEqual(self.rows("findings", "--refresh"), [])

    def test_allow_paths(self):
        self.start("shy", {"static_resources": {"clusters": [cluster("c", [1])]}},
                   allow_paths=[{"exact": "/ready"}, {"prefix": "/stats"}, {"prefix": "/clusters"}])
        self.mesh(f"unix:{self.sockets}/*.sock")
        shy, = self.fresh("proxies")
        self.assertEqual((shy["state"], shy["node"], shy["version"]), ("LIVE", None, None))
        c, = self.fresh("clusters")
        self.assertEqual((c["cluster"], c["type"], c["hosts"]), ("c", None, 1))
        self.assertEqual(self.fresh("certs"), [])

    def test_without_http_there_are_no_routes(self):
        self.start("bare", {})
        self.mesh(f"unix:{self.sockets}/*.sock")
        self.assertEqual(self.fresh("routes"), [])
        self.assertEqual(self.fresh("clusters"), [])
        self.assertEqual(len(self.fresh("proxies", state="LIVE")), 1)

    def test_log_level(self):
        self.start("bare", {})
        path = self.mesh(f"{{name: bare, url: \"unix:{self.sockets}/bare.sock\"}}", more="    write: true\n")
        self.assertTrue(os.path.exists(path))
        level = ["mesh", "log-level", "bare"]
        self.assertEqual(self.rows(*level, "http", "debug"), [
            {"target": "bare", "action": "set", "field": "log level of http", "old": "error", "new": "debug",
             "result": "done"}])
        self.assertEqual(self.rows(*level, "warning")[0]["old"], "various")
        self.assertEqual(self.rows(*level, "http", "trace", "--dry-run")[0]["old"], "warning")
        self.refused(*level, "htpp", "debug", says=("htpp", '"http"'))
        self.refused(*level, "http", "debgu", says=("debgu", '"debug"'))
        self.refused("mesh", "log-level", "bar", "debug", says=('"bar"', '"bare"'))
        self.kiban(*level, "http", "debug", "--read-only", code=4)
        self.assertEqual([j["result"] for j in self.rows("journal")], ["refused", "done", "done"])

    def test_fleet_from_a_file(self):
        self.start("bare", {})
        fleet = os.path.join(self.dir, "fleet.txt")
        with open(fleet, "w") as f:
            f.write(f"# ours\n\n  unix:{self.sockets}/bare.sock \n")
        self.mesh(f"file:{fleet}")
        self.assertEqual([p["state"] for p in self.fresh("proxies")], ["LIVE"])
        with open(fleet, "a") as f:
            f.write("bare:9901\n")
        r = self.kiban("mesh", "proxies", "--refresh", code=None)
        self.assertIn("fleet.txt:4", r.err)
        self.assertNotEqual(r.code, 0)


if __name__ == "__main__":
    unittest.main()

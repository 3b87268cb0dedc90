#!/usr/bin/env python3
"""`make bench`: each bar of the project beside a peer in the same run.

    run.py BUILD [WORD...]     only the rows whose name has one of the words

Every row prints the figure, the peer's, the ratio, and whether the bar is held
or short. Pairs are interleaved, five of each; the median counts. Nothing here
fails a build."""
import json, os, pty, re, resource, select, shutil, signal, sqlite3, statistics, struct, subprocess, sys, tempfile, time
import fcntl, termios

BUILD = os.path.abspath(sys.argv[1])
WORDS = sys.argv[2:]
KIBAN = f"{BUILD}/kiban"


def row(name, figure, bar, held, beside=""):
    print(f"{name:44} {figure:>18}  {'held' if held else 'SHORT'}  bar {bar}{'; ' + beside if beside else ''}", flush=True)


def wanted(name):
    return not WORDS or any(w in name for w in WORDS)


def home():
    d = tempfile.mkdtemp(prefix="kiban-bench-")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KIBAN", "XDG_"))}
    env.update(HOME=d, XDG_CACHE_HOME=f"{d}/cache", XDG_DATA_HOME=f"{d}/data", XDG_CONFIG_HOME=f"{d}/config",
               LANG="C.UTF-8", TERM="xterm-256color")
    return d, env


def fill(env, *args):
    subprocess.run([f"{BUILD}/tests/bench/fill", *map(str, args)], env=env, check=True)


def dead_fleet(d, n=200):
    """A config whose backends never answer: addresses of TEST-NET on loopback."""
    os.makedirs(f"{d}/config/kiban", exist_ok=True)
    with open(f"{d}/config/kiban/config.yaml", "w") as f:
        f.write("context: t\ncontexts:\n  t:\n    mesh:\n      envoys:\n")
        f.writelines(f"        - unix:{d}/none-{i}.sock\n" for i in range(n))


def wall(argv, env):
    began = time.perf_counter()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def first_frame(argv, env, mark):
    """ms from the start until the terminal has shown `mark`."""
    began = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""
    took = None
    while time.perf_counter() - began < 5:
        if select.select([fd], [], [], 0.5)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            seen += got
            if mark in seen:
                took = (time.perf_counter() - began) * 1000
                break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return took if took is not None else float("inf")


def bench_first_frame(d, env):
    log = f"{d}/lines.log"
    with open(log, "w") as f:
        for i in range(100000):
            f.write(f"2026-11-23T03:{i // 60 % 60:02}:{i % 60:02}Z host app[{i}]: request {i} took {i % 977} ms\n")
    ours, theirs = [], []
    for _ in range(5):
        ours.append(first_frame([KIBAN, "--screen", "mesh", "endpoints"], env, b"service-"))
        if shutil.which("lnav"):
            theirs.append(first_frame(["lnav", log], dict(env, HOME=d), b"request"))
    a, b = statistics.median(ours), statistics.median(theirs) if theirs else float("nan")
    row("first frame, 100,000 rows, dead backends", f"{a:.0f} ms", "50 ms and lnav's", a < 50 and not a > b, f"lnav {b:.0f} ms")


def bench_cli(d, env):
    db = f"{d}/cache/kiban/cache.db"
    con = sqlite3.connect(db)
    cols = [c[1] for c in con.execute("PRAGMA table_info(mesh_endpoint_now)") if c[1] not in ("id", "since")]
    con.close()
    sql = f"SELECT {', '.join(cols)} FROM mesh_endpoint_now ORDER BY context, proxy, cluster, address LIMIT 100"
    ours, theirs = [], []
    for _ in range(15):
        ours.append(wall([KIBAN, "mesh", "endpoints", "--limit", "100", "-o", "json", "--offline"], env))
        theirs.append(wall(["sqlite3", "-json", db, sql], env))
    a, b = statistics.median(ours), statistics.median(theirs)
    row("mesh endpoints --limit 100 --offline", f"{a:.1f} ms", "5x sqlite3", a <= 5 * b, f"sqlite3 {b:.1f} ms, {a / b:.1f}x")


def bench_idle(d, env, seconds=60):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(KIBAN, [KIBAN, "--screen", "mesh", "endpoints"], env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def cpu():
        v = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")
    end = time.time() + 5
    while time.time() < end:
        if select.select([fd], [], [], 0.5)[0]:
            os.read(fd, 65536)
    before = cpu()
    end = time.time() + seconds
    while time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            os.read(fd, 65536)
    used = (cpu() - before) / seconds * 100
    rss = int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1000
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    row(f"idle screen, 100,000 rows, {seconds} s: CPU", f"{used:.2f} %", "0.5 %", used < 0.5)
    row("idle screen, 100,000 rows: peak RSS", f"{rss:.1f} MB", "32 MB", rss < 32)


def bench_program(name):
    path = f"{BUILD}/tests/bench/{name}"
    if os.path.exists(path):
        subprocess.run([path], timeout=1800)


def main():
    d, env = home()
    try:
        if wanted("frame") or wanted("cli") or wanted("idle"):
            dead_fleet(d)
            fill(env, "t", "mesh_endpoint", 100000, 200)
        if wanted("frame"):
            bench_first_frame(d, env)
        if wanted("cli"):
            bench_cli(d, env)
        if wanted("idle"):
            bench_idle(d, env, int(os.environ.get("IDLE", "600")))
    finally:
        shutil.rmtree(d, True)
    for name in ("merge", "series"):
        if wanted(name):
            bench_program(name)


if __name__ == "__main__":
    main()

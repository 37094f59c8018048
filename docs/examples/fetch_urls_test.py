# SPDX-License-Identifier: MIT
# fetch_urls_test.py PROGRAM [SHOW] - runs fetch_urls against four hosts of its
# own on loopback, and looks at what it prints and at what the hosts saw.
import http.server
import re
import subprocess
import sys
import threading
import time

PER_HOST, PER_SECOND, BURST = 2, 50, 10  # as fetch_urls.c has them


class Host(http.server.ThreadingHTTPServer):
    """Answers by path: /SIZE; /busy/SIZE is 503 twice; /slow/SIZE hangs once;
    /hang always does; anything else is 404."""

    daemon_threads = True

    def __init__(self, address):
        super().__init__((address, 0), Answer)
        self.lock = threading.Lock()
        self.end = threading.Event()
        self.asked = {}  # path: how often
        self.inside = self.most_inside = 0
        self.url = "http://%s:%d" % self.server_address[:2]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.server
        with host.lock:
            host.inside += 1
            host.most_inside = max(host.most_inside, host.inside)
            host.asked[self.path] = again = host.asked.get(self.path, 0) + 1
        kind, size = re.fullmatch(r"/([a-z]*)/?(\d*)", self.path).groups()
        hangs = kind == "hang" or kind == "slow" and again == 1
        if not hangs:
            time.sleep(0.02)  # so that others may come meanwhile
        with host.lock:
            host.inside -= 1
        if hangs:  # without an answer, until the client has gone
            self.close_connection = True
            self.connection.recv(1)
        elif kind == "busy" and again <= 2:
            self.answer(503, b"later")
        elif kind in ("", "busy", "slow") and size:
            self.answer(200, b"x" * int(size))
        else:
            self.answer(404, b"not here")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def fetch(program, urls):
    begin = time.monotonic()
    ended = subprocess.run([program, *urls], stdout=subprocess.PIPE, text=True,
                           timeout=50)
    return ended.returncode, ended.stdout, time.monotonic() - begin


def check(right, what):
    if not right:
        sys.exit("fetch_urls_test: " + what)


def check_answers(program, hosts):
    """Whatever can become of a URL."""
    a, b, c = (host.url for host in hosts[:3])
    urls = [a + "/hang", b + "/slow/7", c + "/busy/50", a + "/gone",
            "http://127.0.0.1:1/none"]
    urls += ["%s/%d" % (host.url, size) for size in (100, 200, 300)
             for host in hosts]
    status, out, _ = fetch(program, urls)
    lines = out.splitlines()
    told, total = dict(line.split(": ", 1) for line in lines[:-1]), lines[-1]

    check(sorted(told) == sorted(urls), "not each URL once:\n" + out)
    check(status == 1, "some failed, but it answers %d" % status)
    check(lines[-2].startswith(urls[0]), "the slowest is not last:\n" + out)
    wanted = {0: "timed out, attempt 3: ", 1: "7 bytes, attempt 2",
              2: "50 bytes, attempt 3", 3: "failed, attempt 1: status 404",
              4: "failed, attempt 1: Couldn't connect to server"}
    for i, url in enumerate(urls):
        want = wanted.get(i, url.rsplit("/", 1)[1] + " bytes, attempt 1")
        check(told[url].startswith(want), "%s: %s, not %s" % (url, told[url], want))
    check(hosts[2].asked["/busy/50"] == 3, "503 is not why it was asked again")
    check(total == "17 URLs: done 14, failed 2, timed out 1; 22 attempts; "
          "the ledger balances", total)
    return out


def check_limits(program, hosts):
    """So many at once at each host, so many a second in all."""
    urls = ["%s/%d" % (host.url, size) for host in hosts
            for size in range(1, 11)]
    for host in hosts:
        host.most_inside = 0
    status, out, took = fetch(program, urls)
    check(status == 0, "all went well, but it answers %d:\n%s" % (status, out))
    most = [host.most_inside for host in hosts]
    check(max(most) == PER_HOST, "at a host at once: %s" % most)
    check(len(urls) <= BURST + PER_SECOND * took,
          "%d URLs within %.2f s" % (len(urls), took))


def main():
    program = sys.argv[1]
    hosts = [Host("127.0.0.%d" % i) for i in range(1, 5)]
    out = check_answers(program, hosts)
    if len(sys.argv) > 2:
        print(out, end="", flush=True)
    check_limits(program, hosts)
    check(fetch(program, ["no:url:"])[0] == 1, "what is no URL is taken")


main()

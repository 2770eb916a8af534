"""Writes the sample logs in apps/demo/data/logs/ by running a real service and using it.

    python3 apps/demo/scripts/generate_logs.py

An HTTP service over the shipped airports (in SQLite) answers real requests on the loopback
interface: searches, look-ups, logins, a wrong password, a protected page, and input it does not
handle. `access.log` is what it writes in the combined format, `app.log` what its logger writes,
tracebacks included. Paths in tracebacks are shortened so that they name no machine.
"""

import csv
import hashlib
import hmac
import http.client
import json
import logging
import os
import random
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

REPOSITORY = os.path.normpath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
)
DATA = os.path.join(REPOSITORY, "apps", "demo", "data")
LOGS = os.path.join(DATA, "logs")
REQUESTS = 200
SALT = b"demo"
PASSWORDS = {"ada": hashlib.pbkdf2_hmac("sha256", b"engine", SALT, 10_000)}

log = logging.getLogger("airports")


class PortableFormatter(logging.Formatter):
    """Tracebacks without the places of this machine."""

    def formatException(self, exc_info):
        text = super().formatException(exc_info)
        text = text.replace(REPOSITORY + os.sep, "")
        return text.replace(os.path.dirname(os.__file__), "lib/python")


class Service:
    def __init__(self):
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._lock = threading.Lock()
        self._tokens = set()

    def load(self):
        started = time.perf_counter()
        with open(os.path.join(DATA, "airports.csv"), newline="", encoding="utf-8") as text:
            rows = [tuple(row.values()) for row in csv.DictReader(text)]
        self._database.execute("CREATE TABLE airports (iata, name, city, state, country, lat, lon)")
        self._database.executemany("INSERT INTO airports VALUES (?,?,?,?,?,?,?)", rows)
        log.info(
            "database loaded: %d rows in %.1f ms", len(rows), (time.perf_counter() - started) * 1e3
        )

    def query(self, sql, *values):
        started = time.perf_counter()
        with self._lock:
            rows = self._database.execute(sql, values).fetchall()
        elapsed = (time.perf_counter() - started) * 1e3
        log.log(
            logging.WARNING if elapsed > 2 else logging.DEBUG,
            "query took %.2f ms, %d rows: %s", elapsed, len(rows), sql,
        )  # fmt: skip
        return rows

    def login(self, user, password):
        digest = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, 10_000)
        if not hmac.compare_digest(PASSWORDS.get(user, b""), digest):
            log.warning("login failed for user %s", user)
            return None
        token = hashlib.sha256(os.urandom(16)).hexdigest()[:16]
        self._tokens.add(token)
        log.info("login of user %s", user)
        return token

    def knows(self, token):
        return token in self._tokens


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        self._answer(self._post)

    def _answer(self, respond):
        try:
            status, body = respond(urlsplit(self.path))
        except Exception:
            log.exception("unhandled exception in %s %s", self.command, self.path)
            status, body = 500, {"error": "internal error"}
        payload = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self._log_access(status, len(payload))

    def _get(self, url):
        service = self.server.service
        if url.path == "/search":
            query = parse_qs(url.query)
            limit = int(query.get("limit", ["10"])[0])
            sql = "SELECT iata, name FROM airports WHERE name LIKE ? OR city LIKE ? LIMIT ?"
            pattern = "%" + query["q"][0] + "%"
            return 200, service.query(sql, pattern, pattern, limit)
        if url.path.startswith("/airports/"):
            rows = service.query("SELECT * FROM airports WHERE iata = ?", url.path[10:])
            return (200, rows[0]) if rows else (404, {"error": "no such airport"})
        if url.path == "/statistics":
            return 200, service.query("SELECT state, avg(runways) FROM airports GROUP BY state")
        if url.path == "/admin":
            token = self.headers.get("Authorization", "")[7:]
            if not service.knows(token):
                log.warning("access denied to /admin: no valid token")
                return 403, {"error": "forbidden"}
            return 200, service.query("SELECT state, count(*) FROM airports GROUP BY state")
        return 404, {"error": "no such page"}

    def _post(self, url):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if url.path != "/login":
            return 404, {"error": "no such page"}
        credentials = json.loads(body)
        token = self.server.service.login(credentials["user"], credentials["password"])
        return (200, {"token": token}) if token else (401, {"error": "wrong user or password"})

    def _log_access(self, status, size):
        moment = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        self.server.access_log.write(
            '%s - - [%s] "%s" %d %d "-" "%s"\n'
            % (self.client_address[0], moment, self.requestline, status, size,
               self.headers.get("User-Agent", "-"))
        )  # fmt: skip
        self.server.access_log.flush()


def use(port, service_codes):
    draw = random.Random(5)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    token = "none"

    def request(method, path, body=None):
        headers = {"User-Agent": "airport-client/1.0", "Authorization": "Bearer " + token}
        connection.request(method, path, body, headers)
        return json.loads(connection.getresponse().read())

    def login(password):
        return request("POST", "/login", json.dumps({"user": "ada", "password": password}))

    for _ in range(REQUESTS):
        kind = draw.random()
        if kind < 0.45:
            request("GET", "/airports/" + draw.choice(service_codes))
        elif kind < 0.75:
            words = ["Field", "County", "Regional", "San", "New York", "Lake"]
            request(
                "GET", "/search?q=%s&limit=%d" % (quote(draw.choice(words)), draw.randint(1, 20))
            )
        elif kind < 0.82:
            request("GET", "/airports/" + draw.choice(["XXX", "ZZZ", "000"]))
        elif kind < 0.87:
            request("GET", "/admin")
        elif kind < 0.92:
            token = login(draw.choice(["engine", "engine", "motor"])).get("token", token)
        elif kind < 0.95:
            request("GET", "/search?q=Lake&limit=many")
        elif kind < 0.97:
            request("GET", "/statistics")
        else:
            request("GET", "/favicon.ico")
    connection.close()


def main():
    os.makedirs(LOGS, exist_ok=True)
    handler = logging.FileHandler(os.path.join(LOGS, "app.log"), mode="w", encoding="utf-8")
    handler.setFormatter(PortableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    with open(os.path.join(LOGS, "access.log"), "w", encoding="utf-8") as access_log:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.service = Service()
        server.access_log = access_log
        server.service.load()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        log.info("listening on the loopback interface")
        codes = [row[0] for row in server.service.query("SELECT iata FROM airports")]
        try:
            use(server.server_address[1], codes)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            log.info("stopped")
    print("wrote %s" % os.path.relpath(LOGS, os.getcwd()), file=sys.stderr)


if __name__ == "__main__":
    main()

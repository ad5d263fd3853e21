"""A Dapr app with Python's standard library alone, by the shop's conventions.

Environment as for every app: APP_PORT, APP_HOST, SIDECAR_HOST, DAPR_HTTP_PORT, APP_API_TOKEN, DAPR_API_TOKEN, TOKEN_ISSUER.
"""

import base64
import hashlib
import json
import os
import re
import threading
import time
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.RLock()
# DigestInfo of SHA-256 (RFC 8017, 9.2, note 1).
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class Problem(Exception):
    def __init__(self, status, code, errors=None):
        kind = f"urn:caravan:problem:{code.replace('/', ':')}"
        self.body = {"type": kind, "title": code, "status": status, "code": code}
        if errors:
            self.body["errors"] = [{"pointer": at, "detail": what} for at, what in errors]


# What a request must look like: a rule gives the faults of a value, each with its JSON Pointer.
def matches(pattern):
    return lambda value, at: [] if isinstance(value, str) and re.fullmatch(pattern, value) else [(at, f"not {pattern}")]


def integer(low, high):
    return lambda value, at: [] if type(value) is int and low <= value <= high else [(at, f"not {low} to {high}")]


def record(strict=True, **rules):
    def faults(value, at):
        if not isinstance(value, dict):
            return [(at, "not an object")]
        unknown = [(f"{at}/{name}", "unknown field") for name in value if strict and name not in rules]
        return unknown + [fault for name, rule in rules.items() for fault in rule(value.get(name), f"{at}/{name}")]
    return faults


def listing(of, least=1, most=100):
    def faults(value, at):
        if not isinstance(value, list) or not least <= len(value) <= most:
            return [(at, f"not a list of {least} to {most}")]
        return [fault for n, item in enumerate(value) for fault in of(item, f"{at}/{n}")]
    return faults


ID = matches(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def to_sidecar(method, path, body=None, content_type="application/json"):
    request = urllib.request.Request(
        f"http://{os.environ.get('SIDECAR_HOST', '127.0.0.1')}:{os.environ['DAPR_HTTP_PORT']}/v1.0{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"dapr-api-token": os.environ["DAPR_API_TOKEN"], "content-type": content_type})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def publish(source, topic, data):
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": f"/{source}", "type": topic, "data": data,
             "datacontenttype": "application/json"}
    to_sidecar("POST", f"/publish/pubsub/{topic}", event, "application/cloudevents+json")


def read_event(raw):
    """A dead letter is delivered as the broker has it. What is no CloudEvent is kept under its hash, to be seen and discarded."""
    try:
        event = json.loads(raw)
        if all(isinstance(event[name], str) and event[name] for name in ("id", "type", "source")):
            return event
    except (KeyError, TypeError, ValueError):
        pass
    return {"id": hashlib.sha256(raw).hexdigest(), "type": "unreadable", "source": "", "data": raw.decode("latin-1")[:16384]}


# Who calls: RS256 (RFC 8017, 8.2.2) over identity's published keys, which are asked for each time.
def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims_of(authorization):
    try:
        head, claims, signature = authorization.removeprefix("Bearer ").split(".")
        header, said = json.loads(decode(head)), json.loads(decode(claims))
        keys = json.loads(to_sidecar("GET", "/invoke/identity/method/operations/getKeys"))["keys"]
        key = next(each for each in keys if each["kid"] == header["kid"])
        modulus, exponent = (int.from_bytes(decode(key[name]), "big") for name in "ne")
        size = (modulus.bit_length() + 7) // 8
        digest = SHA256_INFO + hashlib.sha256(f"{head}.{claims}".encode()).digest()
        wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        good = pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(size, "big") == wanted
        assert good and header["alg"] == "RS256" and header["typ"] == "at+jwt" and said["exp"] > time.time()
        assert said["iss"] == os.environ["TOKEN_ISSUER"] and said["aud"] == "caravan" and said["sub"] != "anonymous"
        return said
    except Exception:
        raise Problem(401, "auth/invalid-token")


def may(operation):
    """Access for those whose roles allow an operation, named by its id: identity says whose do."""
    def check(headers, params):
        said = claims_of(headers.get("authorization", ""))
        session = {"session": said["sid"]} if "sid" in said else {}
        question = {"account": said["sub"], "issuedAt": said["iat"], "operationId": operation, "params": params, **session}
        decision = json.loads(to_sidecar("POST", "/invoke/identity/method/operations/decideAccess", question))["outcome"]
        if decision != "allowed":
            raise Problem(401 if decision == "session-ended" else 403, f"auth/{decision}")
    return check


def authorise(access, headers, params):
    """`anyone`, the one app that may call, or a function that raises."""
    if callable(access):
        access(headers, params)
    elif access not in ("anyone", headers.get("dapr-caller-app-id")):
        raise Problem(403, "auth/forbidden")


class App:
    """`operations`: (method, id, access, names of the public path's parameters, rule of the body, function).

    `queries`: by an operation's id, the rule of what its query may hold besides. `consume` raises ValueError for a bad event.
    """

    def __init__(self, name, topics, operations, parameters, queries, consume):
        self.topics = topics
        self.name, self.parameters, self.queries, self.consume = name, parameters, queries, consume
        self.handled, self.letters = set(), {}
        letter, letters = f"{name.title()}DeadLetter", lambda: {"data": list(self.letters.values())}
        every = (
            *operations,
            ("GET", f"list{letter}s", may(f"list{letter}s"), (), None, letters),
            ("POST", f"replay{letter}", may(f"replay{letter}"), ("eventId",), None, self.replay),
            ("DELETE", f"discard{letter}", may(f"discard{letter}"), ("eventId",), None, self.discard),
        )
        self.operations = {f"/operations/{id}": (method, id, *rest) for method, id, *rest in every}
        paths = {path: {method.lower(): {"responses": {}}} for path, (method, *_) in self.operations.items()}
        dead = f"{name}.dead-letter"
        told = {"pubsubname": "pubsub", "route": "/told", "deadLetterTopic": dead}
        raw = {"pubsubname": "pubsub", "route": "/given-up", "metadata": {"rawPayload": "true"}}
        subscribed = [{**told, "topic": topic} for topic in topics]
        self.documents = {
            "/healthz": {},
            "/readyz": {},
            "/dapr/subscribe": [*subscribed, {**raw, "topic": dead}],
            "/openapi.json": {"openapi": "3.1.0", "info": {"title": name, "version": "1"}, "paths": paths},
        }
        self.callbacks = {"/told": self.deliver, "/given-up": self.keep}

    def once(self, event):
        if event["id"] not in self.handled:
            self.consume(event["type"], event.get("data"))
            self.handled.add(event["id"])

    def deliver(self, event):
        try:
            self.once(event)
            return {"status": "SUCCESS"}
        except (KeyError, TypeError, ValueError):
            return {"status": "DROP"}

    def keep(self, delivered):
        event = read_event(base64.b64decode(delivered["data_base64"]))
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        self.letters.setdefault(event["id"], {"id": event["id"], "topic": event["type"], "keptAt": now, "event": event})
        return {"status": "SUCCESS"}

    def letter(self, eventId):
        if eventId not in self.letters:
            raise Problem(404, "dead-letters/not-found")
        return self.letters[eventId]

    def replay(self, eventId):
        event = self.letter(eventId)["event"]
        if event["type"] not in self.topics:
            raise Problem(409, "dead-letters/not-replayable")
        try:
            self.once(event)
        except (KeyError, TypeError, ValueError):
            raise Problem(409, "dead-letters/replay-failed")
        del self.letters[eventId]

    def discard(self, eventId):
        del self.letters[self.letter(eventId)["id"]]

    def invalid(self, faults):
        if faults:
            raise Problem(422, f"{self.name}/invalid-request", faults)

    def answer(self, method, target, headers, raw):
        url = urllib.parse.urlsplit(target)
        if url.path not in ("/healthz", "/readyz") and headers.get("dapr-api-token") != os.environ["APP_API_TOKEN"]:
            raise Problem(401, "auth/not-through-sidecar")
        if method == "GET" and url.path in self.documents:
            return self.documents[url.path]
        if method == "POST" and url.path in self.callbacks:
            with lock:
                return self.callbacks[url.path](json.loads(raw))
        verb, id, access, names, rule, act = self.operations.get(url.path, [None] * 6)
        if verb != method:
            raise Problem(404, "request/no-such-route")
        given, query = {}, {}
        for name, value in urllib.parse.parse_qsl(url.query):
            (given if name in names else query).setdefault(name, value)
        authorise(access, headers, given)
        for name in names:
            self.invalid(self.parameters[name](given.get(name), f"params/{name}"))
        if id in self.queries:
            self.invalid(self.queries[id](query, "query"))
            given.update(query)
        if rule:
            given["body"] = self.parse(raw, rule)
        with lock:
            return act(**given)

    def parse(self, raw, rule):
        try:
            body = json.loads(raw)
        except ValueError:
            raise Problem(400, "request/malformed-json")
        self.invalid(rule(body, ""))
        return body

    def serve(self):
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def body(self):
                # A sidecar passes on a streamed request as a stream.
                if self.headers.get("transfer-encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                whole = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    whole += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return whole

            def do_GET(self):
                raw = self.body()
                try:
                    body = app.answer(self.command, self.path, self.headers, raw)
                    status, kind = 204 if body is None else 200, "application/json"
                except Problem as problem:
                    body, status, kind = problem.body, problem.body["status"], "application/problem+json"
                sent = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                if sent:
                    self.send_header("content-type", kind)
                    self.send_header("content-length", str(len(sent)))
                    digest = base64.b64encode(hashlib.sha256(sent).digest()).decode()
                    self.send_header("content-digest", f"sha-256=:{digest}:")
                self.end_headers()
                self.wfile.write(sent)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        ThreadingHTTPServer.request_queue_size = 128
        ThreadingHTTPServer((os.environ.get("APP_HOST", "127.0.0.1"), int(os.environ["APP_PORT"])), Handler).serve_forever()

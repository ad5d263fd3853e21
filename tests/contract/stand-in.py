"""Inventory in another language: its whole contract with Python's standard library, in memory, beside the same sidecar.

Environment as for every app: APP_PORT, DAPR_HTTP_PORT, APP_API_TOKEN, DAPR_API_TOKEN, TOKEN_ISSUER. With FAULT=1 a
repeated reservation holds its stock a second time.
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

PILES = ("available", "reserved", "sold")
TOPICS = ("order.paid", "order.cancelled", "order.abandoned")
lock = threading.RLock()
stock, adjustments, reservations, handled, letters = {}, {}, {}, set(), {}


class Problem(Exception):
    def __init__(self, status, code, errors=None):
        self.body = {"type": f"urn:caravan:problem:{code.replace('/', ':')}", "title": code, "status": status, "code": code}
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


def listing(of):
    def faults(value, at):
        if not isinstance(value, list) or not 1 <= len(value) <= 100:
            return [(at, "not a list of 1 to 100")]
        return [fault for n, item in enumerate(value) for fault in of(item, f"{at}/{n}")]
    return faults


ID = matches(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SKU = matches(r"[A-Z0-9][A-Z0-9-]{2,39}")
ITEM = {"sku": SKU, "quantity": integer(1, 1000)}
DELTA = lambda value, at: integer(-1_000_000, 1_000_000)(value, at) or ([(at, "must not be 0")] if value == 0 else [])
RESERVE = record(orderId=ID, items=listing(record(**ITEM)), ttlSeconds=integer(1, 604_800))
ADJUST = record(delta=DELTA, reason=matches(r"\s*\S[\s\S]{0,199}"))


def to_sidecar(method, path, body=None, content_type="application/json"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"dapr-api-token": os.environ["DAPR_API_TOKEN"], "content-type": content_type})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def publish(topic, data):
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/inventory", "type": topic, "data": data,
             "datacontenttype": "application/json"}
    to_sidecar("POST", f"/publish/pubsub/{topic}", event, "application/cloudevents+json")


# Who calls: RS256 (RFC 8017, 8.2.2) over identity's published keys, which are asked for each time.
def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def roles_of(authorization):
    try:
        head, claims, signature = authorization.removeprefix("Bearer ").split(".")
        header, said = json.loads(decode(head)), json.loads(decode(claims))
        keys = json.loads(to_sidecar("GET", "/invoke/identity/method/.well-known/jwks.json"))["keys"]
        key = next(each for each in keys if each["kid"] == header["kid"])
        modulus, exponent = (int.from_bytes(decode(key[name]), "big") for name in "ne")
        size = (modulus.bit_length() + 7) // 8
        digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(f"{head}.{claims}".encode()).digest()
        wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        good = pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(size, "big") == wanted
        assert good and header["alg"] == "RS256" and header["typ"] == "at+jwt" and said["exp"] > time.time()
        assert said["iss"] == os.environ["TOKEN_ISSUER"] and said["aud"] == "caravan" and said["sub"] != "anonymous"
        return said["roles"]
    except Exception:
        raise Problem(401, "auth/invalid-token")


def authorise(access, headers):
    if access == "orders" and headers.get("dapr-caller-app-id") != "orders":
        raise Problem(403, "auth/forbidden")
    if access == "operator" and "operator" not in roles_of(headers.get("authorization", "")):
        raise Problem(403, "auth/forbidden")


# What inventory does. A pile never goes below nothing, and every unit is in one of them.
def summed(items):
    sums = {}
    for item in items:
        sums[item["sku"]] = sums.get(item["sku"], 0) + item["quantity"]
    return sums


def shortages(sums):
    have = lambda sku: stock.get(sku, {}).get("available", 0)
    return [{"sku": sku, "requested": n, "available": have(sku)} for sku, n in sorted(sums.items()) if have(sku) < n]


def move(sums, source, target):
    for sku, n in sums.items():
        stock[sku][source] -= n
        stock[sku][target] += n


def availability(skus, **_):
    return {"data": [{"sku": sku, "available": stock[sku]["available"]} for sku in skus if sku in stock]}


def find(sku, **_):
    if sku not in stock:
        raise Problem(404, "inventory/sku-not-found")
    return {"sku": sku, "received": sum(stock[sku].values()), **stock[sku]}


def adjust(sku, adjustmentId, body):
    if adjustments.get(adjustmentId, (sku, body["delta"])) != (sku, body["delta"]):
        raise Problem(409, "inventory/adjustment-reused")
    if adjustmentId not in adjustments:
        pile = stock.setdefault(sku, dict.fromkeys(PILES, 0))
        if pile["available"] + body["delta"] < 0:
            raise Problem(409, "inventory/insufficient-stock")
        pile["available"] += body["delta"]
        adjustments[adjustmentId] = (sku, body["delta"])
    return find(sku)


def reserve(body):
    known, sums = reservations.get(body["orderId"]), summed(body["items"])
    if known and os.environ.get("FAULT") != "1":
        return {"outcome": "closed" if known["status"] == "released" else "reserved"}
    short = shortages(sums)
    if short:
        return {"outcome": "insufficient-stock", "shortages": short}
    move(sums, "available", "reserved")
    reservations[body["orderId"]] = {"status": "held", "items": sums}
    return {"outcome": "reserved"}


def release(orderId, **_):
    known = reservations.setdefault(orderId, {"status": "released", "items": {}})
    if known["status"] == "held":
        move(known["items"], "reserved", "available")
        known["status"] = "released"


def sell(orderId, items, **_):
    known, sums = reservations.get(orderId, {"status": "released"}), summed(items)
    if known["status"] == "sold":
        return
    short = [] if known["status"] == "held" else shortages(sums)
    if short:
        return publish("reservation.failed", {"orderId": orderId, "shortages": short})
    publish("reservation.fulfilled", {"orderId": orderId})
    move(sums, "reserved" if known["status"] == "held" else "available", "sold")
    reservations[orderId] = {"status": "sold", "items": sums}


# What Dapr delivers, and what could not be handled.
def consume(event):
    paid = event["type"] == "order.paid"
    rules = {"orderId": ID, **({"items": listing(record(strict=False, **ITEM))} if paid else {})}
    if record(strict=False, **rules)(event.get("data"), ""):
        raise ValueError("not a valid event")
    if event["id"] not in handled:
        (sell if paid else release)(**event["data"])
        handled.add(event["id"])


def deliver(body):
    try:
        consume(body)
        return {"status": "SUCCESS"}
    except (ValueError, KeyError, TypeError):
        return {"status": "DROP"}


def keep(body):
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    letters.setdefault(body["id"], {"id": body["id"], "topic": body["type"], "keptAt": now, "event": body})
    return {"status": "SUCCESS"}


def letter(eventId):
    if eventId not in letters:
        raise Problem(404, "dead-letters/not-found")
    return letters[eventId]


def replay(eventId):
    try:
        consume(letter(eventId)["event"])
    except ValueError:
        raise Problem(409, "dead-letters/replay-failed")
    del letters[eventId]


def discard(eventId):
    del letters[letter(eventId)["id"]]


OPERATIONS = (
    ("GET", "/v1/availability", "anyone", None, availability),
    ("GET", "/v1/stock/{sku}", "operator", None, find),
    ("PUT", "/v1/stock/{sku}/adjustments/{adjustmentId}", "operator", ADJUST, adjust),
    ("POST", "/v1/reservations", "orders", RESERVE, reserve),
    ("GET", "/v1/dead-letters/inventory", "operator", None, lambda: {"data": list(letters.values())}),
    ("POST", "/v1/dead-letters/inventory/{eventId}/replay", "operator", None, replay),
    ("DELETE", "/v1/dead-letters/inventory/{eventId}", "operator", None, discard),
)
PARAMETERS = {"sku": SKU, "adjustmentId": ID, "eventId": matches(r".{1,64}")}
paths = {}
for operation in OPERATIONS:
    paths.setdefault(operation[1], {})[operation[0].lower()] = {"responses": {}}
subscriptions = [{"pubsubname": "pubsub", "topic": topic, "route": "/told", "deadLetterTopic": "inventory.dead-letter"}
                 for topic in TOPICS] + [{"pubsubname": "pubsub", "topic": "inventory.dead-letter", "route": "/given-up"}]
DOCUMENTS = {"/dapr/subscribe": subscriptions, "/healthz": {}, "/readyz": {},
             "/openapi.json": {"openapi": "3.1.0", "info": {"title": "Inventory", "version": "1"}, "paths": paths}}
CALLBACKS = {"/told": deliver, "/given-up": keep}


def invalid(faults):
    if faults:
        raise Problem(422, "inventory/invalid-request", faults)


def query_of(text, path):
    query = dict(urllib.parse.parse_qsl(text))
    if path != "/v1/availability":
        return {}
    skus = query.pop("skus", "").split(",")
    invalid([(f"query/{name}", "unknown") for name in query] + listing(SKU)(skus, "query/skus"))
    return {"skus": skus}


def answer(method, target, headers, raw):
    url = urllib.parse.urlsplit(target)
    if url.path not in ("/healthz", "/readyz") and headers.get("dapr-api-token") != os.environ["APP_API_TOKEN"]:
        raise Problem(401, "auth/not-through-sidecar")
    if method == "GET" and url.path in DOCUMENTS:
        return DOCUMENTS[url.path]
    if method == "POST" and url.path in CALLBACKS:
        return CALLBACKS[url.path](json.loads(raw))
    for verb, path, access, rule, act in OPERATIONS:
        found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path), url.path)
        if verb != method or not found:
            continue
        authorise(access, headers)
        given = {name: urllib.parse.unquote(value) for name, value in found.groupdict().items()}
        invalid([fault for name, value in given.items() for fault in PARAMETERS[name](value, f"params/{name}")])
        given.update(query_of(url.query, path))
        if rule:
            try:
                given["body"] = json.loads(raw)
            except ValueError:
                raise Problem(400, "request/malformed-json")
            invalid(rule(given["body"], ""))
        with lock:
            return act(**given)
    raise Problem(404, "request/no-such-route")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = answer(self.command, self.path, self.headers, raw)
            status, kind = 204 if body is None else 200, "application/json"
        except Problem as problem:
            body, status, kind = problem.body, problem.body["status"], "application/problem+json"
        sent = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if sent:
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Handler).serve_forever()

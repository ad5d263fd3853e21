"""Inventory in another language: its whole contract, in memory.

With FAULT=1 a repeated reservation holds its stock a second time.
"""

import json
import os

from app import ID, App, Problem, integer, listing, matches, may, publish, record, to_sidecar

SKU = matches(r"[A-Z0-9][A-Z0-9-]{2,39}")
ITEM = {"sku": SKU, "quantity": integer(1, 1000)}

PILES = ("available", "reserved", "sold")
stock, adjustments, reservations, releases, further_sales = {}, {}, {}, set(), set()


def delta(value, at):
    return integer(-1_000_000, 1_000_000)(value, at) or ([(at, "must not be 0")] if value == 0 else [])


def skus(value, at):
    return listing(SKU)(value.split(",") if value else None, at)


RESERVE = record(orderId=ID, items=listing(record(**ITEM)), ttlSeconds=integer(1, 604_800))
SALES = record(orders=listing(record(orderId=ID, items=listing(record(**ITEM))), 0, 10))
UNIT_SALE = record(saleId=ID, orderId=ID, items=listing(record(**ITEM)))
ADJUST = record(delta=delta, reason=matches(r"\s*\S[\s\S]{0,199}"))

# A pile never goes below nothing, and every unit is in one of them.
def summed(items):
    sums = {}
    for item in items:
        sums[item["sku"]] = sums.get(item["sku"], 0) + item["quantity"]
    return sums


def shortages(sums):
    have = {sku: stock.get(sku, {}).get("available", 0) for sku in sums}
    short = [sku for sku in sorted(sums) if have[sku] < sums[sku]]
    return [{"sku": sku, "requested": sums[sku], "available": have[sku]} for sku in short]


def move(sums, source, target):
    for sku, n in sums.items():
        stock[sku][source] -= n
        stock[sku][target] += n


def availability(skus):
    return {"data": [{"sku": sku, "available": stock[sku]["available"]} for sku in skus.split(",") if sku in stock]}


def find(sku):
    if sku not in stock:
        raise Problem(404, "inventory/sku-not-found")
    return {"sku": sku, "received": sum(stock[sku].values()), **stock[sku]}


def has_product(sku):
    return sku in json.loads(to_sidecar("GET", f"/invoke/catalog/method/operations/findSkus?skus={sku}"))["data"]


def adjust(sku, adjustmentId, body):
    adjustmentId = adjustmentId.lower()
    if adjustments.get(adjustmentId, (sku, body["delta"])) != (sku, body["delta"]):
        raise Problem(409, "inventory/adjustment-reused")
    if adjustmentId not in adjustments:
        if sku not in stock and not has_product(sku):
            raise Problem(404, "inventory/sku-not-found")
        pile = stock.setdefault(sku, dict.fromkeys(PILES, 0))
        if pile["available"] + body["delta"] < 0:
            raise Problem(409, "inventory/insufficient-stock")
        pile["available"] += body["delta"]
        adjustments[adjustmentId] = (sku, body["delta"])
    return find(sku)


def reserve(body):
    order = body["orderId"].lower()
    known, sums = reservations.get(order), summed(body["items"])
    if known and os.environ.get("FAULT") != "1":
        return {"outcome": "closed" if known["status"] == "released" else "reserved"}
    short = shortages(sums)
    if short:
        return {"outcome": "insufficient-stock", "shortages": short}
    move(sums, "available", "reserved")
    reservations[order] = {"status": "held", "items": sums}
    return {"outcome": "reserved"}


def release(orderId, **_):
    known = reservations.setdefault(orderId.lower(), {"status": "released", "items": {}})
    if known["status"] == "held":
        move(known["items"], "reserved", "available")
        known["status"] = "released"


def sell(orderId, items, **_):
    orderId = orderId.lower()
    known, sums = reservations.setdefault(orderId, {"status": "released", "items": {}}), summed(items)
    if known["status"] == "sold":
        return {"orderId": orderId, "outcome": "fulfilled"}
    if "short" not in known:
        short = [] if known["status"] == "held" else shortages(sums)
        if not short:
            publish("inventory", "reservation.fulfilled", {"orderId": orderId})
            move(sums, "reserved" if known["status"] == "held" else "available", "sold")
            reservations[orderId] = {"status": "sold", "items": sums}
            return {"orderId": orderId, "outcome": "fulfilled"}
        publish("inventory", "reservation.failed", {"orderId": orderId, "shortages": short})
        known["short"] = short
    return {"orderId": orderId, "outcome": "failed", "shortages": known["short"]}


def sell_all(body):
    return {"data": [sell(**order) for order in body["orders"]]}


def release_sold(releaseId, items, **_):
    if releaseId.lower() not in releases:
        releases.add(releaseId.lower())
        move(summed(items), "sold", "available")


def sell_units(body):
    sale, sums = body["saleId"].lower(), summed(body["items"])
    if sale in further_sales:
        return {"outcome": "sold"}
    short = shortages(sums)
    if short:
        return {"outcome": "insufficient-stock", "shortages": short}
    move(sums, "available", "sold")
    further_sales.add(sale)
    return {"outcome": "sold"}


ITEMS = {"items": listing(record(strict=False, **ITEM))}
EVENTS = {
    "order.paid": (ITEMS, sell),
    "order.cancelled": ({}, release),
    "order.abandoned": ({}, release),
    "order.items-released": ({**ITEMS, "releaseId": ID}, release_sold),
}


def consume(topic, data):
    rules, handle = EVENTS[topic]
    if record(strict=False, orderId=ID, **rules)(data, ""):
        raise ValueError("not a valid event")
    handle(**data)


App(
    "inventory",
    topics=tuple(EVENTS),
    operations=(
        ("GET", "getAvailability", "anyone", (), None, availability),
        ("GET", "getStock", may("getStock"), ("sku",), None, find),
        ("PUT", "adjustStock", may("adjustStock"), ("sku", "adjustmentId"), ADJUST, adjust),
        ("POST", "reserve", "orders", (), RESERVE, reserve),
        ("POST", "sellReserved", "orders", (), SALES, sell_all),
        ("POST", "sellUnits", "orders", (), UNIT_SALE, sell_units),
    ),
    parameters={"sku": SKU, "adjustmentId": ID, "eventId": matches(r".{1,64}")},
    queries={"getAvailability": record(skus=skus)},
    consume=consume,
).serve()

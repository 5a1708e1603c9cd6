#!/usr/bin/env python3
"""fake_core.py FOLDER: a peer with TM Forum's APIs for the step tests, on the Unix socket FOLDER/core.sock.

It does what docs/explanation/ordering.md says of orders and services, at once or after a few questions, and what FOLDER/fault.json asks
for: {"method", "path", "fault", "times"} with the faults refuse, error-after, close-after, close-before; and of orders FOLDER/orders
says: complete (default), fail, stick, terminated, no-items, double (each POST makes two of them), double-done (and both are done at once). FOLDER/samples is what it recorded of requests, FOLDER/domain what it says of its domain. FOLDER/state.json always holds what it has, FOLDER/requests what it was asked.
"""
import json
import os
import pathlib
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit

FOLDER = pathlib.Path(sys.argv[1])
COLLECTIONS = {
    "/tmf-api/serviceCatalogManagement/v4/": ("serviceSpecification", "serviceCandidate"),
    "/tmf-api/productCatalogManagement/v4/": ("productSpecification", "productOffering"),
    "/tmf-api/serviceOrdering/v4/": ("serviceOrder", "cancelServiceOrder"),
    "/tmf-api/serviceInventory/v4/": ("service",),
}
PAGE = 2  # smaller than anybody asks for: everybody has to go on


class Refusal(Exception):
    def __init__(self, status, reason, message):
        super().__init__(message)
        self.status, self.body = status, {"code": str(status), "reason": reason, "message": message, "status": str(status)}


class State:
    def __init__(self):
        self.documents = {name: {} for names in COLLECTIONS.values() for name in names}
        self.artifacts = {}
        self.pieces = {}
        path = FOLDER / "state.json"
        if path.exists():
            self.documents.update(json.loads(path.read_text()))
            self.artifacts = self.documents.pop("artifacts", {})

    def save(self):
        text = json.dumps(dict(self.documents, artifacts=self.artifacts), indent=1)
        (FOLDER / "state.new").write_text(text)
        os.replace(FOLDER / "state.new", FOLDER / "state.json")


STATE = State()


def read_word(name, otherwise):
    path = FOLDER / name
    return path.read_text().strip() if path.exists() else otherwise


def values(service):
    return {one["name"]: one["value"] for one in service.get("serviceCharacteristic", [])}


def put_value(service, name, value):
    listed = service.setdefault("serviceCharacteristic", [])
    listed[:] = [one for one in listed if one["name"] != name] + [{"name": name, "value": value}]


def family(service):
    """The other living ones of its family."""
    return [one for one in STATE.documents["service"].values()
            if one["state"] == "active" and one["id"] != service["id"]
            and one["serviceSpecification"]["name"] == service["serviceSpecification"]["name"]
            and values(one).get("component") == values(service).get("component")]


def set_share(service, share):
    put_value(service, "traffic.share", share)
    for other in family(service):
        put_value(other, "traffic.share", 100 - share)


def add(order, item):
    service = json.loads(json.dumps(item["service"]))
    service.update(id=f"{order['id']}.{item['id']}", state="active")
    STATE.documents["service"][service["id"]] = service
    item["service"]["id"] = service["id"]
    if len(order["serviceOrderItem"]) > 1 and "serviceOrderItemRelationship" not in item:
        return  # a network or a user
    put_value(service, "address", "http://127.0.0.1:18080")
    if values(service).get("replicas") is None:
        put_value(service, "replicas", 1)
    share = values(service).get("traffic.share")
    set_share(service, (0 if family(service) else 100) if share is None else share)


def modify(item):
    service, asked = STATE.documents["service"][item["service"]["id"]], values(item["service"])
    if "replicas" in asked:
        put_value(service, "replicas", asked["replicas"])
    if "traffic.share" in asked:
        set_share(service, asked["traffic.share"])


def delete(item):
    service = STATE.documents["service"][item["service"]["id"]]
    service["state"] = "terminated"
    order = service["id"].split(".")[0]
    for other in STATE.documents["service"].values():
        if other["id"].split(".")[0] == order and "address" not in values(other):
            other["state"] = "terminated"


def fulfil(order):
    for item in order["serviceOrderItem"]:
        {"add": lambda: add(order, item), "modify": lambda: modify(item), "delete": lambda: delete(item)}[item["action"]]()
        item["state"] = "completed"
    order["state"] = "completed"
    if read_word("orders", "complete") == "terminated":
        for item in order["serviceOrderItem"]:
            STATE.documents["service"][item["service"]["id"]]["state"] = "terminated"


def advance(order):
    """One question further: acknowledged, inProgress, then what shall come of it."""
    fate = read_word("orders", "complete")
    if order["state"] == "acknowledged":
        order["state"] = "inProgress"
    elif order["state"] == "inProgress" and fate == "fail":
        order["state"] = "failed"
        order["errorMessage"] = [{"code": "1", "message": "the service did not become healthy"}]
        for item in order["serviceOrderItem"]:
            item["state"] = "failed"
    elif order["state"] == "inProgress" and fate != "stick":
        fulfil(order)


def check_item(item):
    identity = item["service"].get("id")
    if item["action"] == "add":
        return
    service = STATE.documents["service"].get(identity)
    if not service:
        raise Refusal(404, "not found", f"there is no service {identity}")
    if service["state"] == "terminated":
        raise Refusal(409, "conflict", f"service {identity} is terminated")


def create_order(body):
    for order in STATE.documents["serviceOrder"].values():
        if order.get("externalId") == body.get("externalId"):
            if order["asked"] != body:
                raise Refusal(409, "conflict", "another order has this externalId")
            return order
    for item in body["serviceOrderItem"]:
        check_item(item)
    order = json.loads(json.dumps(body))
    order.update(state="acknowledged", asked=body, id=str(len(STATE.documents["serviceOrder"]) + 1))
    for item in order["serviceOrderItem"]:
        item["state"] = "acknowledged"
    if read_word("orders", "complete") == "no-items":
        del order["serviceOrderItem"]
    return order


def cancel(body):
    order = STATE.documents["serviceOrder"][body["serviceOrder"]["id"]]
    if order["state"] not in ("acknowledged", "inProgress"):
        raise Refusal(409, "conflict", "the order is at rest")
    order["state"] = "cancelled"
    return dict(body, state="done")


def create(name, body):
    if name == "serviceOrder":
        document = create_order(body)
    else:
        document = cancel(body) if name == "cancelServiceOrder" else dict(body)
    document.setdefault("id", f"{name}-{len(STATE.documents[name]) + 1}")
    STATE.documents[name][document["id"]] = document
    if name == "serviceOrder" and read_word("orders", "complete").startswith("double"):
        double(document)
    return document


def double(order):
    """What makes a key unique is lost: the order is there twice."""
    orders = STATE.documents["serviceOrder"]
    again = json.loads(json.dumps(order))
    again["id"] = str(len(orders) + 1)
    orders[again["id"]] = again
    for one in (order, again) if read_word("orders", "complete") == "double-done" else ():
        fulfil(one)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.answer_bytes(json.dumps(body).encode(), status)

    def answer_bytes(self, data, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fault(self, path):
        file = FOLDER / "fault.json"
        wanted = json.loads(file.read_text()) if file.exists() else {}
        if wanted.get("method") != self.command or not path.endswith(wanted.get("path", "?")) or wanted.get("times", 1) <= 0:
            return None
        wanted["times"] = wanted.get("times", 1) - 1
        file.write_text(json.dumps(wanted))
        return wanted["fault"]

    def upload(self, path, query):
        digest = path.rsplit("/", 1)[1]
        size = int(self.headers.get("Content-Length", 0))
        have = STATE.pieces.setdefault(digest, 0)
        if int(query["offset"]) != have:
            raise Refusal(409, "conflict", f"the next piece begins at {have}")
        STATE.pieces[digest] = have + size
        if STATE.pieces[digest] == int(query["size"]):
            STATE.artifacts[digest] = STATE.pieces.pop(digest)
        return 200, {"digest": digest}

    def listed(self, name, query):
        offset, limit = int(query.pop("offset", 0)), min(int(query.pop("limit", PAGE)), PAGE)
        return 200, list(STATE.documents[name].values())[offset:offset + limit]  # filters are not heeded: the client has to

    def work(self, path, query):
        if path.startswith("/artifacts/v1/"):
            return self.upload(path, query)
        for base, names in COLLECTIONS.items():
            name, _, identity = path[len(base):].partition("/")
            if path.startswith(base) and name in names:
                return self.document(name, unquote(identity), query)
        raise Refusal(404, "not found", f"there is no {path}")

    def document(self, name, identity, query):
        if self.command == "POST":
            return 201, create(name, json.loads(self.body))
        if not identity:
            return self.listed(name, query)
        document = STATE.documents[name].get(identity)
        if not document:
            raise Refusal(404, "not found", f"there is no {name} {identity}")
        if self.command == "PATCH":
            document.update(json.loads(self.body))
        elif name == "serviceOrder":
            advance(document)
        return 200, document

    def handle_request(self):
        url = urlsplit(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(FOLDER / "requests", "a") as log:
            log.write(f"{self.command} {url.path}\n")
        if url.path == "/telemetry/v1/samples":
            with open(FOLDER / "questions", "a") as log:
                log.write(url.query + "\n")
            return self.answer_bytes(read_word("samples", '{"next": "1.0", "more": false}').encode() + b"\n")
        if url.path == "/domain/v1/domains/lab" and (domain := read_word("domain", "")):
            return self.answer_bytes(domain.encode())
        fault = self.fault(url.path)
        self.close_connection = fault is not None
        if fault == "close-before":
            return
        if fault == "refuse":
            self.answer(400, {"code": "20", "reason": "bad order", "message": "the item wants a flavour that is not there", "status": "400"})
            return
        try:
            status, body = self.work(url.path, dict(parse_qsl(url.query)))
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        STATE.save()
        if fault == "close-after":
            return
        if fault == "error-after":
            status, body = 500, {"code": "1", "reason": "internal", "message": "out of luck"}
        self.answer(status, body)

    do_GET = do_POST = do_PATCH = do_PUT = handle_request


class Server(socketserver.UnixStreamServer):
    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("unix", 0)


STATE.save()
with Server(str(FOLDER / "core.sock"), Handler) as server:
    server.serve_forever()

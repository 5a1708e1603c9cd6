#!/usr/bin/env python3
"""fake_core.py SOCKET: TM Forum's paths of an orchestration core without anything behind them, for tests of what talks to one.

Says "ready" on standard output once it answers at SOCKET. How an order goes depends on what is ordered: `broken` fails, `greedy` is refused, `stuck`
goes on until it is cancelled, of `lossy` the first answer is lost, of `doubled` too, and the order is there twice, all others complete. An order moves when somebody looks at it, never by itself, so that no test depends on the time."""
import hashlib
import http.server
import json
import os
import re
import socketserver
import sys
import urllib.parse

CATALOGUE = "/tmf-api/serviceCatalogManagement/v4/"
PRODUCTS = "/tmf-api/productCatalogManagement/v4/"
ORDERING = "/tmf-api/serviceOrdering/v4/"
INVENTORY = "/tmf-api/serviceInventory/v4/"
COLLECTIONS = {CATALOGUE + "serviceSpecification", CATALOGUE + "serviceCandidate", PRODUCTS + "productSpecification", PRODUCTS + "productOffering",
               ORDERING + "serviceOrder", ORDERING + "cancelServiceOrder", INVENTORY + "service"}
PIECE_LIMIT = 4 * 1024 * 1024
NOW = "2026-01-31T08:00:0%d.000Z"


class Refusal(Exception):
    def __init__(self, status, code, message, hint=None):
        super().__init__(message)
        self.body = {"code": code, "reason": message, "message": hint or message, "status": str(status), "@type": "Error"}
        self.status = status


class Lost(Exception):
    """It was done, and nobody hears of it."""


def characteristic(service, name):
    return next((one["value"] for one in service.get("serviceCharacteristic", []) if one["name"] == name), None)


def put(service, name, value):
    rest = [one for one in service.get("serviceCharacteristic", []) if one["name"] != name]
    service["serviceCharacteristic"] = rest + [{"name": name, "value": value}]


class Core:
    def __init__(self):
        self.documents = {path: {} for path in COLLECTIONS}
        self.pieces, self.artifacts = {}, {}

    def find(self, path, identifier):
        if identifier not in self.documents[path]:
            raise Refusal(404, "NOT_FOUND", f"there is no {path.rsplit('/', 1)[1]} {identifier}")
        return self.documents[path][identifier]

    def create(self, path, body):
        for other in self.documents[path].values():
            same = other["name"] == body.get("name") and other.get("version") == body.get("version") if "name" in body else False
            if same and path.endswith("serviceSpecification"):
                if other.get("attachment", [{}])[0].get("digest") == body.get("attachment", [{}])[0].get("digest"):
                    return 201, other
                raise Refusal(409, "CONFLICT", f"{body['name']} {body['version']} is there already with other content", "raise its version")
        body = dict(body, id=str(len(self.documents[path]) + 1), lastUpdate=NOW % 0)
        self.documents[path][body["id"]] = body
        return 201, body

    # --- orders ---

    def order(self, body):
        requester = next((one["id"] for one in body.get("relatedParty", []) if one.get("role") == "requester"), "?")
        for other in self.documents[ORDERING + "serviceOrder"].values():
            if body.get("externalId") and (other.get("externalId"), other["by"]) == (body["externalId"], requester):
                if other["asked"] == body:
                    return 201, other
                raise Refusal(409, "CONFLICT", f"another order has the key {body['externalId']}", "give the key of that order, or a new one")
        if not body.get("serviceOrderItem"):
            raise Refusal(400, "INVALID", "an order has at least one serviceOrderItem")
        names = [item.get("service", {}).get("serviceSpecification", {}).get("name") for item in body["serviceOrderItem"]]
        if "greedy" in names:
            raise Refusal(403, "DENIED", "domain here has 2 of 4 processors left, greedy wants 3", "the nearest flavour is small: 2 processors")
        for item in body["serviceOrderItem"]:
            if item["action"] != "add":
                self.find(INVENTORY + "service", item["service"].get("id"))
        _, order = self.create(ORDERING + "serviceOrder", dict(json.loads(json.dumps(body)), asked=body, by=requester, state="acknowledged", orderDate=NOW % 0))
        for item in order["serviceOrderItem"]:
            item["state"] = "acknowledged"
        if "doubled" in names and body["serviceOrderItem"][0]["action"] == "add":
            self.create(ORDERING + "serviceOrder", json.loads(json.dumps(order)))
            raise Lost
        if "lossy" in names:
            raise Lost
        return 201, order

    def look(self, order):
        """Each look moves an order by one state."""
        if order["state"] == "acknowledged":
            order["state"] = "inProgress"
            for item in order["serviceOrderItem"]:
                item["state"] = "inProgress"
        elif order["state"] == "inProgress":
            names = [item.get("service", {}).get("serviceSpecification", {}).get("name") for item in order["serviceOrderItem"]]
            if "broken" in names:
                self.fail(order)
            elif "stuck" not in names:
                self.complete(order)
        return order

    def fail(self, order):
        words = "server of broken exited with status 3: cannot open greeting.txt"
        for item in order["serviceOrderItem"]:
            is_server = characteristic(item["service"], "component") == "server"
            item["state"] = "failed" if is_server else "cancelled"
            if is_server:
                item["errorMessage"] = [{"code": "failed", "message": words}]
                order["errorMessage"] = [{"code": "failed", "message": words, "serviceOrderItem": [{"itemId": item["id"]}]}]
        order.update(state="failed", completionDate=NOW % 3,
                     milestone=[{"id": "1", "name": "server/activate", "status": "failed", "message": words, "milestoneDate": NOW % 2}])

    def complete(self, order):
        for item in order["serviceOrderItem"]:
            item["state"] = "completed"
            getattr(self, item["action"])(order, item)
        order.update(state="completed", completionDate=NOW % 2)

    def add(self, order, item):
        service = item["service"]
        service.update(id=f"{order['id']}.{item['id']}", state="active", startDate=NOW % 1)
        if characteristic(service, "component") in ("server", None):
            others = [one for one in self.documents[INVENTORY + "service"].values()
                      if one["serviceSpecification"]["name"] == service["serviceSpecification"]["name"] and one["state"] == "active"]
            put(service, "traffic.share", characteristic(service, "traffic.share") or 0 if others else 100)
            put(service, "replicas", characteristic(service, "replicas") or 1)
            put(service, "ready", characteristic(service, "replicas"))
            put(service, "address", "http://127.0.0.1:18080")
        self.documents[INVENTORY + "service"][service["id"]] = service

    def modify(self, _order, item):
        service = self.documents[INVENTORY + "service"][item["service"]["id"]]
        for one in item["service"].get("serviceCharacteristic", []):
            put(service, one["name"], one["value"])
            if one["name"] == "replicas":
                put(service, "ready", one["value"])

    def delete(self, _order, item):
        self.documents[INVENTORY + "service"][item["service"]["id"]].update(state="terminated", endDate=NOW % 3)

    def cancel(self, body):
        order = self.find(ORDERING + "serviceOrder", body["serviceOrder"]["id"])
        if order["state"] not in ("acknowledged", "inProgress"):
            raise Refusal(409, "STATE", f"order {order['id']} is {order['state']}: there is nothing to cancel")
        order.update(state="cancelled", completionDate=NOW % 3, cancellationReason=body.get("cancellationReason"))
        for item in order["serviceOrderItem"]:
            item["state"] = "cancelled"
        return self.create(ORDERING + "cancelServiceOrder", dict(body, state="done"))

    # --- packages ---

    def artifact(self, digest, query, data):
        if digest in self.artifacts:
            return 200, {}
        if len(data) > PIECE_LIMIT:
            raise Refusal(413, "LIMIT", "a piece has at most 4 MiB")
        have = self.pieces.setdefault(digest, b"")
        if int(query["offset"]) != len(have):
            raise Refusal(409, "CONFLICT", f"the next piece begins at {len(have)}")
        self.pieces[digest] = have = have + data
        if len(have) < int(query["size"]):
            return 202, {}
        if "sha256:" + hashlib.sha256(have).hexdigest() != digest:
            raise Refusal(400, "INVALID", "the digest is another one")
        self.artifacts[digest] = have
        return 201, {}

    def domain(self):
        return {"name": "here", "used": {"memory": 1 << 27, "cpu": 500}, "services": len(self.running()),
                "site": {"driver": "process", "address": "127.0.0.1", "ports": "18080-18099", "capacity": {"cpu": 4000, "memory": 1 << 30},
                         "flavours": {"small": {"cpu": 500, "memory": 1 << 28}}}}

    def running(self):
        return [one for one in self.documents[INVENTORY + "service"].values() if one["state"] == "active" and characteristic(one, "address")]

    def domain_with_keeper(self):
        """What a keeper says, as the core hands it on."""
        families = [{"name": one["serviceSpecification"]["name"], "address": characteristic(one, "address"), "port": 18080} for one in self.running()]
        services = [{"service": one["id"], "family": one["serviceSpecification"]["name"], "version": one["serviceSpecification"]["version"], "state": "active",
                     "share": float(characteristic(one, "traffic.share")), "replicas": characteristic(one, "replicas"), "ready": 1}
                    for one in self.running()]
        instances = [{"service": one["id"], "number": 2, "pid": 0, "port": 40002, "state": "backoff", "restarts": 3, "message": "exited with status 3"}
                     for one in self.running()]
        keeper = {"name": "here", "address": "127.0.0.1", "requests": 17, "records": 17, "dropped": 0, "haproxy_pid": 4001}
        return dict(self.domain(), keeper=keeper, families=families, keeper_services=services, instances=instances)

    def answer(self, method, path, query, data):
        found = re.fullmatch(r"/artifacts/v1/(sha256:[0-9a-f]{64})", path)
        if found and method == "PUT":
            return self.artifact(found.group(1), query, data)
        if path == "/domain/v1/domains":
            return 200, {"domains": [self.domain()]}
        if path == "/domain/v1/domains/here":
            return 200, self.domain_with_keeper()
        collection = path if path in COLLECTIONS else path.rsplit("/", 1)[0]
        if collection not in COLLECTIONS:
            raise Refusal(404, "NOT_FOUND", f"there is no {path}")
        body = json.loads(data) if data else None
        if method == "POST":
            special = {ORDERING + "serviceOrder": self.order, ORDERING + "cancelServiceOrder": self.cancel}.get(path)
            return special(body) if special else self.create(path, body)
        if path in COLLECTIONS:
            wanted = {name: value for name, value in query.items() if name not in ("offset", "limit", "fields")}
            wanted.pop("place.name", None)
            rows = [row for row in self.documents[path].values() if all(str(row.get(name)) in value.split(",") for name, value in wanted.items())]
            offset = int(query.get("offset", 0))
            return 200, rows[offset:offset + int(query.get("limit", 100))]
        document = self.find(collection, urllib.parse.unquote(path.rsplit("/", 1)[1]))
        if method == "PATCH":
            document.update(body)
        elif collection == ORDERING + "serviceOrder":
            self.look(document)
        return 200, document


class Handler(http.server.BaseHTTPRequestHandler):
    def serve(self):
        path, _, query = self.path.partition("?")
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, body = self.server.core.answer(self.command, path, dict(urllib.parse.parse_qsl(query)), data)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        except Lost:
            return
        data = json.dumps({key: value for key, value in body.items() if key not in ("asked", "by")} if isinstance(body, dict) else body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve

    def address_string(self):
        return "local"

    def log_message(self, *_arguments):
        pass


class Server(socketserver.UnixStreamServer):
    allow_reuse_address = True


def main():
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    with Server(path, Handler) as server:
        server.core = Core()
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

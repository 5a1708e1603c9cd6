"""fault_orders.py CORE RUNNING SPECIFICATION SERVICE [FILE...]: orders that a core must refuse, in the standard's form, with nothing half-done; bad-orders.flow runs
it. Both specifications have a compute `web` and a network `slice`; SERVICE is one of RUNNING. Each FILE holds an order that was meant for another core."""
import copy
import http.client
import json
import pathlib
import socket
import sqlite3
import sys
import time

CORE, RUNNING, SPECIFICATION, SERVICE = sys.argv[1:5]
ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
MIB = 1024 * 1024


def ask(method, path, body=None, kind="application/json"):
    connection = http.client.HTTPConnection("core")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(f"{CORE}/core.sock")
    try:
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
    except (BrokenPipeError, ConnectionResetError):
        pass  # the answer came before all was sent
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def there_is():
    """Everything that an order could leave behind: runs, events, documents."""
    with sqlite3.connect(f"file:{CORE}/journal.db?mode=ro", uri=True) as journal:
        tables = [name for (name,) in journal.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by 1")]
        counts = {name: journal.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}
    keeper = json.loads(ask("GET", "/domain/v1/domains/edge")[1])
    return counts, [each["service"] for each in keeper["keeper_services"]]


def add(item="1", needs=(), **service):
    relations = [{"relationshipType": "dependency", "orderItem": {"itemId": need}} for need in needs]
    whole = {"serviceSpecification": {"id": SPECIFICATION}, **service}
    return {"id": item, "action": "add", "service": whole, **({"serviceOrderItemRelationship": relations} if relations else {})}


def network(item, needs=()):
    return add(item, needs, serviceCharacteristic=[{"name": "component", "value": "slice"}])


def order(*items, **more):
    return {"serviceOrderItem": list(items), **more}


def change(action, service, *characteristics):
    return {"id": "1", "action": action, "service": {"id": service, "serviceCharacteristic": list(characteristics)}}


def named(name, value):
    return {"name": name, "value": value}


def deep(depth):
    return b'{"serviceOrderItem":' + b"[" * depth + b"]" * depth + b"}"


# A name, what is posted, the statuses that are right, and what the answer must hold.
CASES = [
    ("not JSON", b"order me a service", {400}, ""),
    ("half of it", b'{"serviceOrderItem": [', {400}, ""),
    ("nothing", b"", {400}, ""),
    ("a list", b"[]", {400}, ""),
    ("null", b"null", {400}, ""),
    ("not UTF-8", b'{"description": "\xff\xfe"}', {400}, ""),
    ("a zero byte in a name", b'{"a\\u0000b": 1, "serviceOrderItem": []}', {400}, ""),
    ("a member twice", b'{"serviceOrderItem": [], "serviceOrderItem": []}', {400}, ""),
    ("too deep", deep(2000), {400}, ""),
    ("9 MiB", b'{"description": "' + b"x" * (9 * MIB) + b'"}', {413}, "large"),
    ("7 MiB", order(add(), description="x" * (7 * MIB)), {413}, "large"),
    ("300 KiB", order(add(), description="x" * (300 * 1024)), {413}, "larger than 256 KiB"),
    ("no items", order(), {400}, "serviceOrderItem"),
    ("items that are none", {"serviceOrderItem": "1"}, {400}, "serviceOrderItem"),
    ("an item that is none", {"serviceOrderItem": [7]}, {400}, "serviceOrderItem"),
    ("an item without id", order({"action": "add", "service": {}}), {400}, "id"),
    ("an item without action", order({"id": "1", "service": {}}), {400}, "action"),
    ("an item with an unknown action", order({**add(), "action": "explode"}), {400}, "explode"),
    ("an item without service", order({"id": "1", "action": "add"}), {400}, "service"),
    ("an id that no address can hold", order(add("../../1")), {400}, "id"),
    ("the same id twice", order(network("1"), add("1")), {400}, "two items"),
    ("200 items", order(*(network(str(i)) for i in range(200))), {400}, "200 items"),
    ("no specification", order({"id": "1", "action": "add", "service": {}}), {400}, "serviceSpecification"),
    ("an unknown specification", order(add(serviceSpecification={"id": "nobody"})), {400, 404, 409}, "nobody"),
    ("an unknown component", order(add(serviceCharacteristic=[named("component", "engine")])), {400, 409}, "engine"),
    ("an unknown domain", order(add(place=[{"role": "domain", "name": "mars"}])), {400, 404, 409}, "mars"),
    ("replicas that are text", order(add(serviceCharacteristic=[named("replicas", "many")])), {400}, "replicas"),
    ("replicas below none", order(add(serviceCharacteristic=[named("replicas", -1)])), {400}, "replicas"),
    ("replicas beyond all", order(add(serviceCharacteristic=[named("replicas", 10**18)])), {400, 409}, "replicas"),
    ("characteristics that are none", order(add(serviceCharacteristic=[7])), {400}, "haracteristic"),
    ("a characteristic without name", order(add(serviceCharacteristic=[{"value": 1}])), {400}, "name"),
    ("a circle of one", order(add("1", ["1"])), {400}, "1"),
    ("a circle of two", order(network("1", ["2"]), add("2", ["1"])), {400}, "depends on itself"),
    ("a need that is not there", order(add("1", ["9"])), {400}, "9"),
    ("two of one family", order(add("1"), add("2")), {400, 409}, ""),
    ("the same version again", order(add(serviceSpecification={"id": RUNNING})), {409}, "already"),
    ("a change of nobody", order(change("modify", "99.1", named("replicas", 2))), {400, 404, 409}, "99.1"),
    ("a change without service", order({"id": "1", "action": "modify", "service": {}}), {400}, "id"),
    ("a change of nothing", order(change("modify", SERVICE)), {400}, ""),
    ("a share for one that is alone", order(change("modify", SERVICE, named("traffic.share", 30))), {409}, "alone"),
    ("a share above all", order(change("modify", SERVICE, named("traffic.share", 101))), {400}, "share"),
    ("a share that is none", order(change("modify", SERVICE, named("traffic.share", True))), {400}, "share"),
    ("an end of nobody", order(change("delete", "99.1")), {400, 404, 409}, "99.1"),
    ("one service twice", order(change("modify", SERVICE, named("replicas", 2)), {**change("delete", SERVICE), "id": "2"}), {400, 409}, ""),
    ("a date that is none", order(add(), requestedStartDate="tomorrow"), {400}, "requestedStartDate"),
    ("a date of no calendar", order(add(), requestedStartDate="2026-13-45T00:00:00Z"), {400}, "requestedStartDate"),
    ("a party that is none", order(add(), relatedParty=["ann"]), {400}, "relatedParty"),
    ("a key that is none", order(add(), externalId=7), {400}, "externalId"),
]

# The order of TM Forum's own guide, in short: it is of services that this catalogue does not have.
SAMPLE = {
    "externalId": "OrderABC", "priority": "1", "description": "Service order description", "category": "TMF resource illustration",
    "requestedStartDate": "2026-12-01T00:00:00.000Z", "requestedCompletionDate": "2026-12-02T00:00:00.000Z",
    "relatedParty": [{"id": "456", "name": "John Doe", "role": "requester", "@referredType": "Individual"}],
    "note": [{"id": "1", "author": "Harvey Poupon", "date": "2026-11-30T13:20:00.000Z", "text": "Some text", "@type": "Note"}],
    "externalReference": [{"id": "1", "name": "Cust Order", "externalReferenceType": "customer order"}],
    "serviceOrderItem": [
        {"id": "1", "action": "add", "quantity": 1, "@type": "ServiceOrderItem",
         "service": {"serviceType": "CFS", "@type": "Service", "state": "active",
                     "serviceCharacteristic": [{"name": "vCPE_IP", "valueType": "object", "value": {"@type": "JSON", "vCPE": "193.218.236.21"}}],
                     "serviceSpecification": {"id": "12", "href": "http://serverlocation:port/serviceCatalogManagement/v4/serviceSpecification/12",
                                              "name": "vCPE", "version": "1.0.0", "@type": "ServiceSpecificationRef"}}},
        {"id": "2", "action": "add", "service": {"serviceSpecification": {"id": "13", "name": "vFW"}},
         "serviceOrderItemRelationship": [{"relationshipType": "reliesOn", "orderItem": {"itemId": "1"}}]}]}


def error_of(data):
    """What is wrong with the form of an error, and its words."""
    try:
        body = json.loads(data)
    except ValueError:
        return f"no JSON: {data[:200]}", ""
    missing = [name for name in ("code", "reason", "status", "@type") if not isinstance(body.get(name), str)]
    return (f"without {missing}: {body}" if missing or body["@type"] not in ("Error",) and not body["@type"].startswith("Error") else ""), json.dumps(body)


def try_refused(name, posted, statuses, words, kind="application/json"):
    before = there_is()
    body = posted if isinstance(posted, bytes) else json.dumps(posted).encode()
    status, data = ask("POST", ORDERS, body, kind)
    wrong, said = error_of(data)
    if status not in statuses:
        return [f"{name}: answered {status}, not {statuses}: {data[:300]}"]
    wrong = [f"{name}: {wrong}"] if wrong else []
    if json.loads(data).get("status") != str(status) or words not in said:
        wrong.append(f"{name}: {status} without '{words}': {said}")
    if (now := there_is()) != before:
        wrong.append(f"{name}: there was {before}, there is {now}")
    return wrong


def try_unknown_members():
    """What the standard does not know is kept: a network that is ordered with it, and ended."""
    posted = order({**network("1"), "x-item": [1, {"a": None}]}, **{"x-order": {"deep": [True, 1.5, "é"]}, "@type": "MyOrder"})
    posted["serviceOrderItem"][0]["service"]["x-service"] = "kept"
    status, data = ask("POST", ORDERS, json.dumps(posted))
    body = json.loads(data)
    item = body.get("serviceOrderItem", [{}])[0]
    if status != 201 or body["x-order"] != posted["x-order"] or body["@type"] != "MyOrder" or item["service"].get("x-service") != "kept" or "x-item" not in item:
        return [f"unknown members: {status} {data[:500]}"]
    for _ in range(100):  # what comes next counts what is there
        state = json.loads(ask("GET", f"{ORDERS}/{body['id']}")[1])["state"]
        if state in ("completed", "failed", "cancelled", "partial"):
            return []
        time.sleep(0.1)
    return [f"unknown members: the order is {state}"]


def try_foreign(file):
    if not file.exists():
        print(f"skipped: {file} is not there")
        return []
    return try_refused(file.name, json.loads(file.read_text()), {400, 404, 409}, "id")


wrong = [line for case in CASES for line in try_refused(*case)]
wrong += try_refused("the guide's own", SAMPLE, {400, 404, 409}, "12")
for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
    wrong += try_refused(f"sent as {kind}", order(add()), {415, 400}, "", kind)
for kind in ("application/json;charset=utf-8", "Application/JSON"):
    wrong += try_refused(f"sent as {kind}", order(copy.deepcopy(add("#"))), {400}, "id", kind)
wrong += try_unknown_members()
wrong += [line for file in sys.argv[5:] for line in try_foreign(pathlib.Path(file))]
print("\n".join(wrong))
sys.exit(1 if wrong else 0)

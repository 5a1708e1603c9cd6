"""standard_swagger.py CORE FOLDER: asks a core by curl with bodies made of the official definitions of TMF633, 620, 641 and 638 (FOLDER/*.swagger.json):
every member of the standard in its own type, with its own example where there is one; and holds each answer against the same definitions."""
import json
import pathlib
import subprocess
import sys
import time

CORE, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
EXAMPLES = {"date-time": "2026-01-31T08:00:00Z", "uri": "http://host/one"}
PLAIN = {"integer": 1, "number": 1.5, "boolean": True, "string": "some text"}
# Made by the server, or of an order that is under way.
OURS = {"id", "href", "lastUpdate", "state", "errorMessage", "jeopardyAlert", "milestone", "orderDate", "startDate", "completionDate", "cancellationDate", "cancellationReason"}
wrong = []


def definitions(number):
    return json.loads(next(FOLDER.glob(f"TMF{number}-*.swagger.json")).read_text())["definitions"]


def resolve(schema, all_of):
    while "$ref" in schema:
        schema = all_of[schema["$ref"].rpartition("/")[2]]
    return schema


def fill(schema, all_of, depth=0):
    """A value with every member that the definition knows; what goes round ends after some levels."""
    if schema.get("$ref", "").endswith("/Any"):
        return {"any": ["thing", 1]}
    schema = resolve(schema, all_of)
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: fill(each, all_of, depth + 1) for name, each in schema["properties"].items() if depth < 4 or name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [fill(schema["items"], all_of, depth + 1)]
    example = schema.get("example", EXAMPLES.get(schema.get("format"), PLAIN.get(schema.get("type"), {})))
    return example[0] if isinstance(example, list) else example


def check(value, schema, all_of, where):
    """What of a value is not as the definition says."""
    schema = resolve(schema, all_of)
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if value is None or schema.get("type") not in kinds:
        return
    if not isinstance(value, kinds[schema["type"]]) or ("enum" in schema and value not in schema["enum"]):
        wrong.append(f"{where} is {value!r:.80}, not {schema.get('enum') or schema['type']}")
        return
    for index, each in enumerate(value if isinstance(value, list) and "items" in schema else ()):
        check(each, schema["items"], all_of, f"{where}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        wrong.extend(f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name in value.keys() & schema["properties"].keys() - {"relatedParty"}:  # as people send it, without what the definition requires
            check(value[name], schema["properties"][name], all_of, f"{where}.{name}")


def ask(method, path, body=None):
    asked = ["curl", "-s", "-o", "answer", "-w", "%{http_code}", "-X", method, "--unix-socket", f"{CORE}/core.sock", f"http://core/tmf-api/{path}"]
    if body is not None:
        asked += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    status = int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    text = pathlib.Path("answer").read_text()
    return status, json.loads(text) if text else None


def lost(sent, shown):
    """Members that were sent and are not shown as they were sent."""
    return sorted(name for name in sent if name not in OURS and shown.get(name) != sent[name])


def post(number, path, definition, **more):
    all_of = definitions(number)
    sent = fill(all_of[definition + "_Create"], all_of) | more
    status, made = ask("POST", path, sent)
    if status != 201:
        print(f"TMF{number} {definition}: {status} {made}")
        sys.exit(1)
    check(made, all_of[definition], all_of, definition)
    _, again = ask("GET", f"{path}/{made['id']}")
    check(again, all_of[definition], all_of, definition)
    return sent, made, again


def publish(number, path, definition, **more):
    sent, made, again = post(number, path, definition, **more)
    wrong.extend(f"TMF{number} {definition}: {name} is not kept" for name in lost(sent, made) + lost(sent, again))
    return made["id"]


specification = publish(633, "serviceCatalogManagement/v4/serviceSpecification", "ServiceSpecification", lifecycleStatus="Active")
reference = {"id": specification, "name": "some text"}
candidate = publish(633, "serviceCatalogManagement/v4/serviceCandidate", "ServiceCandidate", serviceSpecification=reference)
product = publish(620, "productCatalogManagement/v4/productSpecification", "ProductSpecification", serviceSpecification=[reference])
publish(620, "productCatalogManagement/v4/productOffering", "ProductOffering", productSpecification={"id": product}, serviceCandidate={"id": candidate})

# One item, since the definition's items hold items; the service that it asks for has an id when it is there.
order_definitions = definitions(641)
item = fill(order_definitions["ServiceOrderItem"], order_definitions)
item |= {"id": "1", "action": "add", "serviceOrderItem": [], "serviceOrderItemRelationship": []}
item["service"] |= {"serviceSpecification": reference, "place": []}
sent, made, _ = post(641, "serviceOrdering/v4/serviceOrder", "ServiceOrder", serviceOrderItem=[item])
wrong += [f"TMF641 ServiceOrder: {name} is not kept" for name in lost(sent, made) if name != "serviceOrderItem"]
wrong += [f"TMF641 service: {name} is not kept" for name in lost(item["service"], made["serviceOrderItem"][0]["service"])]
while (order := ask("GET", f"serviceOrdering/v4/serviceOrder/{made['id']}")[1])["state"] not in ("failed", "completed"):
    time.sleep(0.05)
check(order, order_definitions["ServiceOrder"], order_definitions, "ServiceOrder at its end")
if order["state"] != "failed":
    wrong.append(f"an order of what has no package is {order['state']}")
post(641, "serviceOrdering/v4/cancelServiceOrder", "CancelServiceOrder", serviceOrder={"id": made["id"], "href": made["href"]})

# What ran before this: orders and services in all their states.
for number, path, definition in ((641, "serviceOrdering/v4/serviceOrder", "ServiceOrder"), (638, "serviceInventory/v4/service", "Service")):
    all_of = definitions(number)
    for one in ask("GET", path)[1]:
        check(one, all_of[definition], all_of, f"{definition} {one['id']}")
for path, body in (("serviceOrdering/v4/serviceOrder", {}), ("serviceCatalogManagement/v4/serviceSpecification", {"name": 7}), ("serviceInventory/v4/service", {})):
    status, error = ask("POST", path, body)
    check(error, order_definitions["Error"], order_definitions, f"the error of {path}")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)

# ordering.sh: words for flows about orders, on top of lib.sh: a core by itself with the domain `edge`, and the service `video`, whose package is a
# small web server that answers its version.
# ordering_begin FIRST-LAST: writes the domain with these ports, starts the core, uploads the package.
ordering_begin() {
    command -v haproxy >/dev/null && [ -x /usr/bin/python3 ] || skip "needs haproxy and /usr/bin/python3"
    mkdir -p core/domains package/bin
    printf 'domain: edge\nurl: embedded\nsite:\n  driver: process\n  address: 127.0.0.1\n  ports: %s\n%s' "$1" "${2:-}" >core/domains/edge.yaml
    cat >package/bin/web <<'END'
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["VERSION"].encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
END
    tar -C package -czf package.tgz bin
    core_start
    digest=$(sha256sum package.tgz | cut -d' ' -f1)
    core_ask PUT "/artifacts/v1/sha256:$digest?offset=0&size=$(stat -c %s package.tgz)" 201 --data-binary @package.tgz
}
# core_ask METHOD PATH STATUS [CURL OPTION...]: over the core's own socket.
core_ask() { local method=$1 path=$2 status=$3; shift 3; ask "$method" "http://core$path" "$status" --unix-socket core/core.sock "$@"; }
core_post() { core_ask POST "/tmf-api/$1" "$2" -H 'Content-Type: application/json' -d "$3"; }
# publish_video VERSION [COMMAND-JSON] [MORE]: the specification's id is in $SPECIFICATION.
publish_video() {
    local command=${2:-'["/usr/bin/python3","bin/web","$(PORT_HTTP)"]'}
    core_post serviceCatalogManagement/v4/serviceSpecification 201 '{"name":"video","version":"'"$1"'","lifecycleStatus":"Active",
      "attachment":[{"name":"package","attachmentType":"package","mimeType":"application/gzip","digest":"sha256:'"$digest"'"}],
      "specCharacteristic":[{"name":"descriptor","characteristicValueSpecification":[{"value":{"service":"video","version":"'"$1"'","components":[
        {"compute":{"name":"web","ports":{"http":8080},"command":'"$command"',"env":{"VERSION":"'"$1"'"},"health":{"http":"/health"}'"${3:-}"'}},
        {"network":{"name":"slice","downlink":1000000}}]}}]}]}'
    SPECIFICATION=$(body 'it["id"]')
}
# order_item ACTION SERVICE-JSON [STATUS]: an order of one item; its number is in $ORDER.
order_item() {
    core_post serviceOrdering/v4/serviceOrder "${3:-201}" '{"serviceOrderItem":[{"id":"1","action":"'"$1"'","service":'"$2"'}]}'
    [ "${3:-201}" != 201 ] || ORDER=$(body 'it["id"]')
}
order_state() { core_ask GET "/tmf-api/serviceOrdering/v4/serviceOrder/$1" 200; body 'it["state"]'; }
# wait_order ORDER STATE
wait_order() {
    local now end=$((SECONDS + 60))
    while now=$(order_state "$1"); [ "$now" != "$2" ]; do
        case $now in completed | failed | cancelled) cat body; fail "order $1 is $now, not $2" ;; esac
        [ $SECONDS -lt $end ] || { cat body; fail "order $1 is $now, not $2"; }
        sleep 0.05
    done
}
# service SERVICE EXPRESSION: of its document; c("name") is a characteristic's value.
service() {
    core_ask GET "/tmf-api/serviceInventory/v4/service/$1" 200
    body "(lambda c: ($2))(lambda n: {e['name']: e['value'] for e in it['serviceCharacteristic']}.get(n))"
}
# answers URL COUNT: how many times which version answered.
answers() { for _ in $(seq "$2"); do curl -sf "$1/" || echo failed; done | sort | uniq -c | awk '{print $2 "=" $1}' | xargs; }

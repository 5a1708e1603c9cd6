# lib.sh: the words that flows are written in. Sourced by tests/flow/run; $FLOW is the flow's own folder and the start.
# A flow fails at the first command that fails (set -e), or by `fail`.

flow_begin() {
    export CRESCENDO_DATA=$FLOW/data
    ID=$(printf %07d $$)
    # Sanitised, freed memory is set aside for a while; little of it, so that a flow may look at how much the server has.
    [ -z "${ASAN_OPTIONS:-}" ] || export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=4
    trap 'echo "flow: line $LINENO: $BASH_COMMAND failed" >&2' ERR
    trap flow_end EXIT
}

# Whatever a flow did to its servers, what they wrote is what follows from the events; but not in a flow that set CHANGED_BY_HAND.
flow_check() {
    local folder
    for folder in "$FLOW/data" "$FLOW/core"; do
        [ -e "$folder/journal.db" ] || continue
        crescendo fsck --data "$folder" >"$FLOW/fsck.out" 2>&1 || { echo "--- crescendo fsck --data $folder"; cat "$FLOW/fsck.out"; return 1; }
    done
}

flow_end() {
    local status=$?
    trap - ERR EXIT
    [ "$status" != 0 ] || [ -n "${CHANGED_BY_HAND:-}" ] || flow_check || status=1
    server_stop || { [ "$status" != 0 ] || status=1; }
    eval "${AT_END:-}" || true
    if [ "$status" != 0 ] && [ "$status" != 77 ]; then
        echo "--- server.log"; tail -40 "$FLOW/server.log" 2>/dev/null
    fi
    exit "$status"
}

# at_end COMMAND: what is to be cleaned away when the flow is over; a trap of its own would hide that it failed.
at_end() { AT_END=$1; }

fail() { echo "flow: $*" >&2; exit 1; }
skip() { echo "$*"; exit 77; }

# server_start [OPTION...]: returns once the server accepts connections. Its pid is $SERVER.
server_start() {
    local ready
    mkfifo "$FLOW/ready.$$" 2>/dev/null || true
    crescendo-server serve --data "$CRESCENDO_DATA" --ready-fd 9 "$@" 9>"$FLOW/ready.$$" >>"$FLOW/server.log" 2>&1 &
    SERVER=$!
    read -r -n 1 ready <"$FLOW/ready.$$" || { cat "$FLOW/server.log"; fail "the server did not start"; }
    rm -f "$FLOW/ready.$$"
}

# core_start [OPTION...]: an orchestration core by itself, with its data in ./core; its pid is $SERVER.
core_start() {
    local ready
    mkfifo "$FLOW/ready.$$" 2>/dev/null || true
    crescendo-server core --data "$FLOW/core" --ready-fd 9 "$@" 9>"$FLOW/ready.$$" >>"$FLOW/server.log" 2>&1 &
    SERVER=$!
    read -r -n 1 ready <"$FLOW/ready.$$" || { cat "$FLOW/server.log"; fail "the core did not start"; }
    rm -f "$FLOW/ready.$$"
}
# core_url: where the core that listens on TCP is, as it said itself.
core_url() { grep -o 'http://[0-9.]*:[0-9]*' "$FLOW/server.log" | tail -1; }

# ask METHOD URL STATUS [CURL OPTION...]: the answer's body is in $FLOW/body, its headers in $FLOW/headers. A server that refuses before it has
# read all may close while curl still sends (55, with the answer's status or without): then the answer counts, or it is asked again.
ask() {
    local method=$1 url=$2 wanted=$3 status code
    shift 3
    for _ in 1 2 3; do
        code=0
        status=$(curl -s -o "$FLOW/body" -D "$FLOW/headers" -w '%{http_code}' -X "$method" "$@" "$url") || code=$?
        [ "$code" = 55 ] && [ "$status" = 000 ] || break
    done
    [ "$code" = 0 ] || { [ "$code" = 55 ] && [ "$status" != 000 ]; } || fail "$method $url: curl ended with $code"
    [ "$status" = "$wanted" ] || { cat "$FLOW/body"; fail "$method $url: $status, not $wanted"; }
}
# expect_fits COLUMNS COMMAND...: on a terminal that is so wide no line of it is wider; what it printed is in out.
expect_fits() {
    python3 "$ROOT/tests/support/terminal.py" "$@" >out
    [ -s out ] || fail "nothing was printed: $*"
    python3 -c 'import sys; sys.exit(any(len(line.rstrip("\n")) > int(sys.argv[1]) for line in open("out")))' "$1" || { cat out; fail "wider than $1: $*"; }
}
# body EXPRESSION: of the last answer.
body() { json "$1" <"$FLOW/body"; }

# Stops the server cleanly; a server that ends with anything but 0 (a leak, when it is sanitised) fails the flow.
server_stop() {
    local status=0
    [ -n "${SERVER:-}" ] || return 0
    kill "$SERVER" 2>/dev/null || true
    wait "$SERVER" 2>/dev/null || status=$?
    SERVER=
    [ "$status" = 0 ] || { echo "flow: the server did not stop cleanly: status $status" >&2; return 1; }
}

server_kill() { # kill -9
    kill -9 "$SERVER"
    wait "$SERVER" 2>/dev/null || true
    SERVER=
}

# shim_kill RUN: kill -9 of its supervisor, which is who holds its lock; not of the sandboxes' inits, which have its name and must die with it.
shim_kill() {
    python3 - "$CRESCENDO_DATA/runs/$1/shim.lock" <<'PYTHON'
import fcntl, os, signal, struct, sys
FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process
with open(sys.argv[1], "r+b") as lock:
    kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(lock, fcntl.F_GETLK, struct.pack(FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)))
if kind == fcntl.F_UNLCK:
    sys.exit("shim_kill: nobody holds " + sys.argv[1])
os.kill(pid, signal.SIGKILL)
PYTHON
}

# repository NAME [EXAMPLE]: a bare repository on the server, and a clone ./NAME to push from, filled from examples/EXAMPLE.
repository() {
    crescendo repository add "$1" >/dev/null
    git init -q -b main "$FLOW/$1"
    git -C "$FLOW/$1" config user.name "Flow Author"
    git -C "$FLOW/$1" config user.email flow@example.org
    git -C "$FLOW/$1" remote add crescendo "$CRESCENDO_DATA/repositories/$1.git"
    [ -z "${2:-}" ] || cp -R "$ROOT/examples/$2/." "$FLOW/$1/"
}

# push NAME MESSAGE [GIT OPTION...]: commits everything in ./NAME and pushes; the push's output is in $FLOW/push.
push() {
    local name=$1 message=$2
    shift 2
    git -C "$FLOW/$name" add -A
    git -C "$FLOW/$name" commit -q --allow-empty -m "$message"
    git -C "$FLOW/$name" push -q "$@" crescendo HEAD:main >"$FLOW/push" 2>&1
}

# json EXPRESSION: prints a Python expression over `it`, the JSON on standard input.
json() { python3 -IS -c 'import json,sys; it=json.load(sys.stdin); value=eval(sys.argv[1]); print(value if value is not None else "")' "$1"; }

run_state() { crescendo show "$1" --json | json 'it["state"] + (" " + it["reason"] if it.get("reason") else "")'; }
step_state() { crescendo show "$1" --json | json "next(s['state'] + (' ' + s['reason'] if s.get('reason') else '') for s in it['steps'] if s['path'] == '$2')"; }

# wait_state RUN STATE [SECONDS]: until the run is in that state ("failed timeout" asks for the reason too).
wait_state() {
    local end=$((SECONDS + ${3:-60}))
    while :; do
        local now; now=$(run_state "$1" 2>/dev/null || true)
        [ "$now" = "$2" ] || [ "${now%% *}" = "$2" ] && return 0
        [ $SECONDS -lt $end ] || fail "run $1 is '$now', not '$2'"
        sleep 0.05
    done
}

# wait_until SECONDS COMMAND...: until the command succeeds.
wait_until() {
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "not within the time: $*"
        sleep 0.05
    done
}

expect() { # expect "what" ACTUAL EXPECTED
    [ "$2" = "$3" ] || fail "$1: expected '$3', found '$2'"
}
expect_text() { # expect_text FILE TEXT: the file holds the text (colours aside)
    sed 's/\x1b\[[0-9;]*[mK]//g' "$1" | grep -F -- "$2" >/dev/null || { cat "$1"; fail "$1 does not hold '$2'"; }
}
expect_no_text() { ! grep -qF -- "$2" "$1" || { cat "$1"; fail "$1 holds '$2'"; }; }
expect_status() { # expect_status STATUS COMMAND...: output in $FLOW/out
    local wanted=$1 status=0; shift
    "$@" >"$FLOW/out" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || { cat "$FLOW/out"; fail "'$*' ended with $status, not $wanted"; }
}

# submit [OPTION...]: starts ./crescendo.yaml on the server; prints the run's number.
submit() { crescendo run crescendo.yaml --detach --json "$@" | json 'it["run"]'; }
# pipeline: writes ./crescendo.yaml from standard input.
pipeline() { cat >"$FLOW/crescendo.yaml"; cd "$FLOW"; }
# log RUN STEP: what the step printed.
log() { crescendo logs "$1" --step "$2"; }
# little_memory KIB: for what follows in this shell; sanitised programs need address space without end, so there it says nothing.
little_memory() { [ -n "${ASAN_OPTIONS:-}" ] || ulimit -v "$1"; }
processes_with() { # processes_with TEXT: how many processes of the whole machine have it in their command line (this flow's own shells aside); $ID makes it this flow's
    ps -ww -eo args= >"$FLOW/processes"
    grep -cF -- "$1" "$FLOW/processes" || true
}

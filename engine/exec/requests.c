/* requests.c: what the engine asks of a run's shim, as frames. */
#include "exec/requests.h"

#include "crescendo/limits.h"

void supervisor_sandbox(struct supervisor *supervisor, const struct sandbox_request *request)
{
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_SANDBOX);
    wire_u32(wire, request->stage);
    wire_text(wire, request->workspace);
    wire_u32(wire, request->mode);
    wire_u32(wire, request->network_host);
    wire_u64(wire, request->memory_bytes);
    wire_u32(wire, request->cpu_thousandths);
    wire_u32(wire, request->processes);
    wire_u64(wire, request->disk_bytes);
    wire_list(wire, request->read_only);
    wire_list(wire, request->read_write);
    wire_text(wire, supervisor_folder(supervisor));
    request_queued(supervisor, wire, start);
}

void supervisor_start(struct supervisor *supervisor, const struct start_request *request)
{
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_START);
    wire_u32(wire, request->step);
    wire_u32(wire, request->attempt);
    wire_u32(wire, request->stage);
    wire_u32(wire, request->after);
    wire_u32(wire, request->flags);
    wire_u64(wire, request->timeout_ms);
    wire_u64(wire, request->grace_ms);
    wire_u64(wire, LIMIT_OUTPUT_FILE_BYTES);
    wire_list(wire, request->argv);
    wire_list(wire, request->environment);
    wire_text(wire, request->input);
    wire_text(wire, request->title);
    if (request->secrets || request->hidden) {
        wire_list(wire, request->secrets);
        wire_list(wire, request->hidden);
    }
    request_queued(supervisor, wire, start);
}

void supervisor_cancel(struct supervisor *supervisor, uint32_t step, uint32_t attempt)
{
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_CANCEL);
    wire_u32(wire, step);
    wire_u32(wire, attempt);
    request_queued(supervisor, wire, start);
}

void supervisor_say(struct supervisor *supervisor, uint32_t step, uint32_t attempt, const char *line)
{
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_SAY);
    wire_u32(wire, step);
    wire_u32(wire, attempt);
    wire_text(wire, line);
    request_queued(supervisor, wire, start);
}

void supervisor_end_stage(struct supervisor *supervisor, uint32_t stage)
{
    struct wire *wire = request_wire(supervisor);
    size_t start = wire_begin(wire, SHIM_END_STAGE);
    wire_u32(wire, stage);
    request_queued(supervisor, wire, start);
}

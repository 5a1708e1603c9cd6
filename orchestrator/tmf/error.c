/* error.c: an error as TM Forum's APIs tell it. */
#include "orchestrator/tmf/resource.h"

#include "base/json.h"
#include "base/mem.h"

json_t *tmf_error_body(const struct error *err, int status)
{
    AUTO(free_text) char *number = mem_format("%d", status);
    json_t *body = json_object();
    json_put_text(body, "@type", "Error");
    json_put_text(body, "code", error_code_name(err->code));
    json_put_text(body, "reason", err->message);
    json_put_text(body, "message", err->hint[0] ? err->hint : err->message);
    json_put_text(body, "status", number);
    json_put_text(body, "referenceError", "https://www.rfc-editor.org/rfc/rfc9110#name-status-codes");
    return body;
}

/* left.c: what a run that ended badly left standing, in words, with the command that ends what nobody uses. */
#include "base/mem.h"
#include "cli/facts.h"
#include "cli/report.h"

/* "service 4.1 on lab, ordered by order 7 (release/order)" */
static void add_done(struct text *line, const json_t *left)
{
    const char *service = json_text(left, "service", NULL), *order = json_text(left, "order", NULL);
    text_add(line, service ? "service " : json_text(left, "effect", "?"));
    if (service) text_add(line, service);
    text_add_format(line, " on %s", json_text(left, "target", "?"));
    if (order) text_add_format(line, ", ordered by order %s", order);
    text_add_format(line, " (%s)", json_text(left, "step", "?"));
}

/* "2.0.0 stays in service on lab: service 4.1", "service 3.1 on lab gets no requests: crescendo order delete 3.1" */
static void add_staying(struct text *line, const json_t *left, bool is_unused)
{
    const char *service = json_text(left, "service", "?"), *version = json_text(left, "version", NULL),
               *where = json_text(left, "target", "?");
    if (is_unused)
        text_add_format(line, "service %s on %s gets no requests: crescendo order delete %s", service, where, service);
    else if (version)
        text_add_format(line, "%s stays in service on %s: service %s", version, where, service);
    else
        text_add_format(line, "service %s stays in service on %s", service, where);
}

void report_left(const json_t *run, const struct terminal *terminal, struct text *out)
{
    size_t i;
    json_t *left;
    json_array_foreach(json_object_get(run, "left"), i, left)
    {
        AUTO(text_release) struct text line = {0};
        const char *stays = json_text(left, "stays", NULL);
        if (stays)
            add_staying(&line, left, text_equal(stays, "unused"));
        else
            add_done(&line, left);
        fact_add(out, terminal, "left", text_view(&line));
    }
}

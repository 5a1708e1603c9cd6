/* complaint.c: what went wrong, for a person or a program. */
#include "cli/complaint.h"

#include "base/mem.h"
#include "cli/display.h"
#include "spec/diagnose.h"

#include <stdlib.h>
#include <unistd.h>

bool complaint_wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && !text_equal(argv[i], "--"); i++)
        if (text_equal(argv[i], "--json")) return true;
    return false;
}

int complaint_keep(struct cli *cli, const struct diagnostics *list, const struct source_set *sources, struct error *err)
{
    bool colour = terminal_of(STDERR_FILENO, options_flag(&cli->options, "no-color")).colour;
    const char *file = sources->count ? sources->items[0].name : "the file";
    struct text said = {0};
    diagnose_text(list, sources, colour ? DIAGNOSE_COLOUR : DIAGNOSE_PLAIN, &said);
    free(cli->client.text);
    cli->client.text = text_take(&said);
    json_decref(cli->client.diagnostics);
    cli->client.diagnostics = diagnose_json(list);
    if (diagnostics_only_denied(list)) return error_set(err, ERROR_DENIED, NOWHERE, "%.150s asks for what is not allowed", file);
    return error_set(err, ERROR_INVALID, NOWHERE, "%.150s has mistakes", file);
}

static void add_line(struct text *out, const char *line)
{
    display_add(out, line, DISPLAY_LINE);
    text_add_char(out, '\n');
}

void complaint_add_text(const struct client *client, const struct error *err, bool colour, struct text *out)
{
    if (client->text) {
        display_add(out, client->text, colour ? DISPLAY_COLOUR : DISPLAY_LINES);
        if (!text_ends(text_view(out), "\n")) text_add_char(out, '\n');
        return;
    }
    text_add_styled(out, STYLE_BAD, colour, "crescendo: ");
    add_line(out, err->message);
    if (!err->hint[0]) return;
    text_add(out, "  ");
    add_line(out, err->hint);
}

json_t *complaint_json(const struct client *client, const struct error *err)
{
    json_t *error = json_object(), *json = json_object();
    json_put_text(error, "code", error_code_name(err->code));
    json_put_text(error, "message", err->message);
    if (err->hint[0]) json_put_text(error, "hint", err->hint);
    if (json_array_size(client->diagnostics)) json_put(error, "diagnostics", json_incref(client->diagnostics));
    json_put(json, "error", error);
    return json;
}

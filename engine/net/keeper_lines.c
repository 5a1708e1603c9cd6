/* keeper_lines.c: finding one's way in a keeper's lines. */
#include "net/keeper_lines.h"

#include "base/json.h"
#include "base/text.h"

const json_t *keeper_service(const json_t *lines, const char *id)
{
    const json_t *line;
    size_t index;
    json_array_foreach(lines, index, line)
    {
        if (text_equal(json_text(line, "line", NULL), "service") && text_equal(json_text(line, "service", NULL), id)) return line;
    }
    return NULL;
}

int64_t keeper_number(const json_t *line, const char *name)
{
    int64_t number = 0;
    return text_to_integer(json_text(line, name, ""), &number) ? number : json_whole(line, name, 0);
}

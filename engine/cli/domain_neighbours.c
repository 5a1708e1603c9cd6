/* domain_neighbours.c: the ports of the other domains whose files stand in one folder. */
#include "cli/domain_neighbours.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/domain.h"

#include <dirent.h>
#include <string.h>

enum { FIRST_PORT = 18080, PORTS_EACH = 20, RANGES = 95, FILES_MAX = 1000 };

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

static void add_file(json_t *neighbours, const char *folder, const char *file)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, file), *bytes = NULL;
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(free_json) json_t *domain = NULL;
    size_t size = 0;
    if (file_read(path, LIMIT_PIPELINE_BYTES, &bytes, &size, NULL)) return;
    const struct source source = {path, bytes, size};
    if (domain_load(&source, &list, &domain) || !json_object_get(domain, "site")) return;
    json_object_set(neighbours, json_text(domain, "domain", ""), json_object_get(domain, "site"));
}

json_t *neighbours_read(const char *folder, const char *name)
{
    AUTO(close_folder) DIR *entries = opendir(folder);
    AUTO(free_text) char *own = mem_format("%s.yaml", name);
    json_t *neighbours = json_object();
    for (const struct dirent *entry; entries && json_object_size(neighbours) < FILES_MAX && (entry = readdir(entries));)
        if (text_ends(entry->d_name, ".yaml") && *entry->d_name != '.' && !text_equal(entry->d_name, own))
            add_file(neighbours, folder, entry->d_name);
    return neighbours;
}

char *neighbours_free_ports(const json_t *neighbours, const char *address)
{
    for (int first = FIRST_PORT; first < FIRST_PORT + RANGES * PORTS_EACH; first += PORTS_EACH) {
        char *ports = mem_format("%d-%d", first, first + PORTS_EACH - 1);
        AUTO(free_json) json_t *site = json_pack("{s:s, s:s}", "address", address, "ports", ports);
        AUTO(free_text) char *overlap = neighbours_overlap(neighbours, site);
        if (!overlap) return ports;
        free_text(&ports);
    }
    return mem_format("%d-%d", FIRST_PORT, FIRST_PORT + PORTS_EACH - 1);
}

char *neighbours_overlap(const json_t *neighbours, const json_t *site)
{
    struct text names = {0};
    const char *name;
    json_t *other;
    json_object_foreach((json_t *)neighbours, name, other)
    {
        if (domain_sites_overlap(site, other))
            text_add_format(&names, "%s%s (%s)", names.size ? ", " : "", name, json_text(other, "ports", ""));
    }
    return names.size ? text_take(&names) : NULL;
}

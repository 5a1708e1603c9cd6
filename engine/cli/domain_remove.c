/* domain_remove.c: `crescendo domain remove`: takes a domain's file out of the data folder, when nothing is left there. */
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int no_such_file(const char *path, struct error *err)
{
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no file %.200s", path);
    return error_hint(err, "`crescendo domain` lists what there is");
}

/* What still runs there would go on with nobody to end it: the core knows a domain by its file. Keepers outlive servers, so the core has to
   be asked; one that does not drive the domain has no service there. */
static int check_unused(struct cli *cli, const char *name, struct error *err)
{
    AUTO(free_json) json_t *domain = NULL;
    AUTO(text_release) struct text encoded = {0};
    percent_encode(name, &encoded);
    int failed = client_get(&cli->client, &domain, err, "/domain/v1/domains/%s", text_view(&encoded));
    if (failed == -ERROR_NOT_FOUND) return 0;
    if (failed) return failed;
    int64_t count = json_whole(domain, "services", 0), kept = (int64_t)json_array_size(json_object_get(domain, "keeper_services"));
    if (kept > count) count = kept;
    if (count == 0) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "domain %.60s has %lld service%s", name, (long long)count, count == 1 ? "" : "s");
    return error_hint(err, "`crescendo inventory --domain %.60s` lists them; `crescendo order delete SERVICE...` ends them", name);
}

int domain_remove(struct cli *cli, struct error *err)
{
    const char *name = form_argument(cli, 0);
    AUTO(free_text) char *path = NULL;
    int failed = domain_path(cli, name, &path, err);
    if (failed) return failed;
    if (!text_is_name(name) || !file_exists(path)) return no_such_file(path, err);
    failed = check_unused(cli, name, err);
    if (failed) return failed;
    if (unlink(path) < 0) return error_set_errno(err, errno, "%s", path);
    if (options_flag(&cli->options, "json")) {
        AUTO(free_json) json_t *removed = json_object();
        json_put_text(removed, "name", name);
        json_put_text(removed, "file", path);
        return print_json(removed);
    }
    printf("domain %s is removed; its keeper ends by itself, and what was recorded there stays\n", name); /* a checked name */
    return 0;
}

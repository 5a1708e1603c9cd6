/* domain_add.c: `crescendo domain add` and `check`: the file of a domain in the data folder. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/complaint.h"
#include "cli/domain.h"
#include "cli/domain_file.h"
#include "cli/domain_neighbours.h"
#include "cli/output.h"
#include "cli/shell_words.h"
#include "spec/domain.h"

#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT_BYTES = 1024 * 1024 };

static int no_folder(const struct cli *cli, struct error *err)
{
    error_set(err, ERROR_UNSUPPORTED, NOWHERE, "`crescendo domain %s` writes into a data folder of this machine, and a server was named",
        options_argument(&cli->options, 0));
    return error_hint(err, "name the folder: --data DIR");
}

int domain_path(const struct cli *cli, const char *name, char **ret, struct error *err)
{
    if (!cli->client.data) return no_folder(cli, err);
    *ret = mem_format("%s/domains/%s.yaml", cli->client.data, name);
    return 0;
}

static int is_there(const char *path, const char *name, struct error *err)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "there is a domain %s: %.150s", name, path);
    return error_hint(err, "change that file, then `crescendo domain check %s`", name);
}

/* What was asked for may be wrong in ways that only the loader knows: an address that is none, a dialect that nobody speaks. */
static int check_text(struct cli *cli, const char *path, const char *text, struct error *err)
{
    AUTO(free_json) json_t *domain = NULL;
    AUTO(diagnostics_release) struct diagnostics list = {0};
    const struct source source = {path, text, strlen(text)};
    return domain_load(&source, &list, &domain) ? complaint_keep(cli, &list, &(struct source_set){&source, 1}, err) : 0;
}

static int write_file(const struct cli *cli, const char *path, const char *text, struct error *err)
{
    AUTO(free_text) char *folder = mem_format("%s/domains", cli->client.data);
    int failed = file_make_folders(folder, 0700, err);
    return failed ? failed : file_replace(path, text, strlen(text), 0644, err);
}

static int print_made(const char *name, const char *path)
{
    AUTO(free_json) json_t *made = json_object();
    json_put_text(made, "name", name);
    json_put_text(made, "file", path);
    return print_json(made);
}

/* Caller frees. */
static char *ports_left(const char *path, const char *name, const char *address)
{
    AUTO(free_text) char *folder = mem_copy_bytes(path, (size_t)(strrchr(path, '/') - path));
    AUTO(free_json) json_t *neighbours = neighbours_read(folder, name);
    return neighbours_free_ports(neighbours, address ? address : "127.0.0.1");
}

int domain_add(struct cli *cli, struct error *err)
{
    const char *name = form_argument(cli, 0);
    struct domain_wish wish = {.name = name,
        .address = options_value(&cli->options, "address"),
        .ports = options_value(&cli->options, "ports"),
        .url = options_value(&cli->options, "url"),
        .dialect = options_value(&cli->options, "dialect")};
    AUTO(free_text) char *text = NULL, *path = NULL, *free_ports = NULL;
    int failed = domain_path(cli, name, &path, err);
    if (!failed && !wish.ports && !wish.url) wish.ports = free_ports = ports_left(path, name, wish.address);
    if (!failed) failed = domain_file_text(&wish, &text, err);
    if (failed) return failed;
    if (file_exists(path)) return is_there(path, name, err);
    failed = check_text(cli, path, text, err);
    if (!failed) failed = write_file(cli, path, text, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_made(name, path);
    AUTO(free_text) char *word = shell_word(path);
    printf("domain %s is in %s\n\nThe server reads it when it is next used; nothing needs to be restarted.\n"
           "  crescendo domain check %s\n  crescendo order add NAME --domain %s\n",
        name, word, name, name);
    return 0;
}

/* A name is a file in the data folder; what looks like a path is one. Caller frees. */
static int checked_path(const struct cli *cli, const char *argument, char **ret, struct error *err)
{
    if (!strchr(argument, '/') && !text_ends(argument, ".yaml")) return domain_path(cli, argument, ret, err);
    *ret = mem_copy_text(argument);
    return 0;
}

static void warn_of_overlap(const char *path, const json_t *domain)
{
    const char *slash = strrchr(path, '/');
    AUTO(free_text) char *folder = slash ? mem_copy_bytes(path, (size_t)(slash - path)) : mem_copy_text(".");
    AUTO(free_json) json_t *neighbours = neighbours_read(folder, json_text(domain, "domain", ""));
    AUTO(free_text) char *overlap = neighbours_overlap(neighbours, json_object_get(domain, "site"));
    if (!overlap) return;
    printf("warning: its ports %s are also those of %s: a family gets only what the other left; give one of them another range\n",
        json_text(json_object_get(domain, "site"), "ports", ""), overlap);
}

int domain_check(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *path = NULL, *bytes = NULL;
    AUTO(free_json) json_t *domain = NULL;
    AUTO(diagnostics_release) struct diagnostics list = {0};
    struct error why = {0};
    size_t size = 0;
    int failed = checked_path(cli, form_argument(cli, 0), &path, err);
    if (failed) return failed;
    if (file_read(path, FILE_LIMIT_BYTES, &bytes, &size, &why)) {
        error_set(err, ERROR_INVALID, NOWHERE, "%s", why.message);
        return error_hint(err, "`crescendo domain add NAME` writes one");
    }
    const struct source source = {path, bytes, size};
    if (domain_load(&source, &list, &domain)) return complaint_keep(cli, &list, &(struct source_set){&source, 1}, err);
    if (options_flag(&cli->options, "json")) return print_json(domain);
    printf("domain %s has no mistakes\n", json_text(domain, "domain", "?")); /* a name that was checked */
    warn_of_overlap(path, domain);
    return 0;
}

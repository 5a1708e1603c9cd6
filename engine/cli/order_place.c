/* order_place.c: `crescendo order add`, `scale`, `share`, `delete` and `send`: makes an order's body and hands it to the core. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/offerings.h"
#include "cli/order.h"
#include "cli/order_body.h"
#include "cli/order_watch.h"
#include "cli/output.h"
#include "cli/documents.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { BODY_LIMIT_BYTES = 1024 * 1024 };

/* Who asks: the same that a server sees at its socket. Caller frees. */
static char *user_name(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user ? mem_copy_text(user->pw_name) : mem_format("%u", (unsigned)geteuid());
}

/* A key of its own for each command, so that one whose answer was lost can be given again without ordering twice. Caller frees. */
static char *fresh_key(void)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) return NULL;
    return mem_format("by-hand-%016llx", (unsigned long long)number);
}

static bool is_lost(int failed)
{
    return failed == -ERROR_TIMEOUT || failed == -ERROR_PROTOCOL || failed == -ERROR_IO;
}

static int place(struct cli *cli, const json_t *body, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    if (options_flag(&cli->options, "wait") && options_flag(&cli->options, "no-wait"))
        return error_set(err, ERROR_INVALID, NOWHERE, "--wait and --no-wait contradict each other");
    if (options_flag(&cli->options, "dry-run")) return print_json(body);
    int failed = client_call(&cli->client, "POST", CORE_ORDERS, body, &order, err);
    const char *key = json_text(body, "externalId", NULL);
    if (is_lost(failed) && key) return error_hint(err, "the same with `--key %.60s` asks again, and orders once", key);
    if (failed == -ERROR_CONFLICT && err) err->code = ERROR_DENIED; /* an order that is not taken is refused, whatever is in its way */
    if (failed) return failed;
    if (!json_text(order, "id", NULL)) return error_set(err, ERROR_PROTOCOL, NOWHERE, "the core answered the order without an id");
    return order_finish(cli, order, err);
}

/* What the wish borrows lives in ret_user and ret_key, which the caller frees. */
static struct order_wish wish_new(const struct cli *cli, char **ret_user, char **ret_key)
{
    const char *key = options_value(&cli->options, "key");
    *ret_user = user_name();
    *ret_key = key ? mem_copy_text(key) : fresh_key();
    return (struct order_wish){.requester = *ret_user,
        .key = *ret_key,
        .description = options_value(&cli->options, "description"),
        .domain = options_value(&cli->options, "domain"),
        .share = SHARE_UNSAID};
}

/* What runs of it goes on; new ones are not to be. */
static int check_offered(const json_t *offering, struct error *err)
{
    static const char *const gone[] = {"Retired", "Obsolete", "Rejected"};
    const char *status = json_text(offering, "lifecycleStatus", "");
    for (size_t i = 0; i < COUNT_OF(gone); i++) {
        if (!text_equal(status, gone[i])) continue;
        error_set(err, ERROR_DENIED, NOWHERE, "%.60s %.40s is %s: it cannot be ordered", json_text(offering, "name", "?"),
            json_text(offering, "version", ""), status);
        return error_hint(err, "`crescendo catalogue` lists what can be; publishing it again offers it again");
    }
    return 0;
}

int order_add(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *user = NULL, *key = NULL, *name = mem_copy_text(form_argument(cli, 0));
    AUTO(free_json) json_t *offering = NULL, *specification = NULL, *body = NULL;
    struct order_wish wish = wish_new(cli, &user, &key);
    const char *share = options_value(&cli->options, "share");
    char *at = strchr(name, '@');
    if (at) *at++ = '\0';
    int failed = options_number(&cli->options, "replicas", 1, 0, &wish.replicas, err);
    if (!failed && share) failed = share_read(share, &wish.share, err);
    if (!failed) failed = offering_find(&cli->client, name, at, &offering, err);
    if (!failed) failed = check_offered(offering, err);
    if (!failed) failed = offering_specification(&cli->client, offering, &specification, err);
    if (failed) return failed;
    body = order_body_add(specification, &wish);
    return place(cli, body, err);
}

int order_scale(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *user = NULL, *key = NULL;
    struct order_wish wish = wish_new(cli, &user, &key);
    const char *count = form_argument(cli, 1);
    if (!text_to_integer(count, &wish.replicas) || wish.replicas < 1) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no number of instances", count);
        return error_hint(err, "a whole number of at least 1; `crescendo order delete` ends a service");
    }
    AUTO(free_json) json_t *body = order_body_modify(form_argument(cli, 0), &wish);
    return place(cli, body, err);
}

int order_share(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *user = NULL, *key = NULL;
    struct order_wish wish = wish_new(cli, &user, &key);
    const char *lease = options_value(&cli->options, "lease");
    int failed = share_read(form_argument(cli, 1), &wish.share, err);
    if (failed) return failed;
    if (lease && (!text_to_duration_ms(lease, &wish.lease_ms) || wish.lease_ms < 1)) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%.40s' is no duration", lease);
        return error_hint(err, "write it with its unit: --lease 60s");
    }
    AUTO(free_json) json_t *body = order_body_modify(form_argument(cli, 0), &wish);
    return place(cli, body, err);
}

int order_delete(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *user = NULL, *key = NULL;
    struct order_wish wish = wish_new(cli, &user, &key);
    AUTO(free_json) json_t *body = order_body_delete(cli->options.arguments + 1, cli->options.argument_count - 1, &wish);
    return place(cli, body, err);
}

int order_send(struct cli *cli, struct error *err)
{
    AUTO(free_text) char *bytes = NULL;
    AUTO(free_json) json_t *body = NULL;
    struct error why = {0};
    size_t size = 0;
    const char *path = form_argument(cli, 0);
    bool is_input = text_equal(path, "-");
    if (file_read(is_input ? "/dev/stdin" : path, BODY_LIMIT_BYTES, &bytes, &size, &why))
        return error_set(err, ERROR_INVALID, NOWHERE, "%s", why.message);
    int failed = json_parse(bytes, size, is_input ? "standard input" : path, &body, err);
    if (failed) return failed;
    if (!json_is_object(body)) return error_set(err, ERROR_INVALID, NOWHERE, "%s is no order: an order is a JSON object", path);
    return place(cli, body, err);
}

/* domain.c: reads the file of a domain: its table first, then what no table can say: that the file bears its name, that addresses are
   such, and what its dialect can do unless it says otherwise. */
#include "spec/domain.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "spec/descriptor.h"
#include "spec/domain_policy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 512, FLAVOURS_MAX = 256 };

/* --- texts that must be more than text ----------------------------------------------------------------------------------------- */

static bool is_port(const char *text, size_t size)
{
    AUTO(free_text) char *digits = mem_copy_bytes(text, size);
    int64_t port;
    return text_to_integer(digits, &port) && port >= 1 && port <= 65535;
}

/* HOST, HOST:PORT or [IPV6]:PORT, perhaps with a path; nothing that a request line or a log could stumble over. */
static bool is_host(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t host = text[0] == '[' ? strspn(text + 1, "0123456789abcdefABCDEF:.") + 2 : strspn(text, allowed);
    if (host == 0 || host > strlen(text) || (text[0] == '[' && (text[host - 1] != ']' || host == 2))) return false;
    size_t rest = strcspn(text + host, "/");
    if (rest && (text[host] != ':' || !is_port(text + host + 1, rest - 1))) return false;
    const char *path = text + host + rest;
    return path[strcspn(path, " \t\r\n?#\"'\\")] == '\0';
}

static bool is_url(const char *text)
{
    if (strlen(text) > URL_BYTES) return false;
    if (text_equal(text, "embedded")) return true;
    if (text_starts(text, "unix:/")) return text[strlen("unix:/")] != '\0' && !strpbrk(text, "\r\n");
    return (text_starts(text, "http://") && is_host(text + strlen("http://"))) ||
           (text_starts(text, "https://") && is_host(text + strlen("https://")));
}

static bool is_address(const char *text)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_port_range(const char *text)
{
    const char *dash = strchr(text, '-');
    if (!dash || !is_port(text, (size_t)(dash - text)) || !is_port(dash + 1, strlen(dash + 1))) return false;
    return strtol(text, NULL, 10) <= strtol(dash + 1, NULL, 10);
}

/* What was written under key, when it is not what `is` wants. Defaults are right. */
static void check_text(
    struct reader *reader, const struct yaml_node *map, const char *key, bool (*is)(const char *text), const char *wanted, const char *hint)
{
    const struct yaml_node *node = map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
    if (!node || node->kind != YAML_TEXT || yaml_is_empty(node) || is(node->text)) return;
    diagnostics_add(reader->list, "wrong-value", node->at, yaml_width(node), hint, "\"%s\" must be %s, not \"%s\"", key, wanted,
        yaml_excerpt(reader->arena, node->text));
}

/* --- the parts ----------------------------------------------------------------------------------------------------------------- */

static void check_name(struct reader *reader, const struct yaml_node *root, const json_t *domain)
{
    const char *file = reader->document->source->name, *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    const struct yaml_node *node = yaml_find(root, "domain");
    const char *name = json_text(domain, "domain", NULL);
    AUTO(free_text) char *wanted = mem_format("%s.yaml", name ? name : "");
    if (!name || text_equal(base, wanted) || text_equal(file, "<stdin>")) return;
    AUTO(free_text) char *hint = mem_format("rename the file to %s, or the domain", wanted);
    diagnostics_add(reader->list, "wrong-name", node->at, yaml_width(node), hint, "the domain \"%s\" stands in a file called %s", name,
        yaml_excerpt(reader->arena, base));
}

static void check_site(struct reader *reader, const struct yaml_node *site, json_t *object)
{
    if (!site || !object) return;
    check_text(reader, site, "address", is_address, "an IP address", "write one like 127.0.0.1");
    check_text(reader, site, "ports", is_port_range, "a range of ports", "write FIRST-LAST, like 18080-18099");
    if (json_object_size(json_object_get(object, "flavours")) > FLAVOURS_MAX)
        diagnostics_add(reader->list, "too-many", site->at, 0, "have fewer", "more than %d flavours", FLAVOURS_MAX);
}

static void fill_capabilities(json_t *domain)
{
    if (json_object_get(domain, "capabilities")) return;
    bool standard = text_equal(json_text(domain, "dialect", "standard"), "standard");
    json_put(domain, "capabilities",
        standard ? json_pack("[s, s, s, s, s, s]", "share", "raw-samples", "aggregates", "find-by-key", "events", "lease")
                 : json_pack("[s, s]", "aggregates", "events"));
}

static void read_domain(struct reader *reader, const struct yaml_node *root, json_t *domain)
{
    check_name(reader, root, domain);
    check_text(reader, root, "url", is_url, "where it answers", "write embedded, http://HOST:PORT, https://HOST or unix:/PATH");
    check_site(reader, yaml_find(root, "site"), json_object_get(domain, "site"));
    fill_capabilities(domain);
    domain_policy_complete(reader, yaml_find(root, "policy"), json_object_get(domain, "policy"));
}

int domain_load(const struct source *source, struct diagnostics *list, json_t **ret)
{
    AUTO(free_json) json_t *domain = NULL;
    char digest[SHA256_HEX];
    int failed = descriptor_read(source, domain_fields, "a domain", read_domain, list, &domain);
    if (failed) return failed;
    sha256_hex(source->bytes, source->size, digest);
    json_put_text(domain, "digest", digest);
    *ret = take(&domain);
    return 0;
}

static void range_of(const json_t *site, int64_t *ret_first, int64_t *ret_last)
{
    const char *ports = json_text(site, "ports", "18080-18099"), *dash = strchr(ports, '-');
    AUTO(free_text) char *first = mem_copy_bytes(ports, dash ? (size_t)(dash - ports) : 0);
    if (dash && text_to_integer(first, ret_first) && text_to_integer(dash + 1, ret_last)) return;
    *ret_first = 1;
    *ret_last = 0;
}

bool domain_sites_overlap(const json_t *one, const json_t *other)
{
    static const char all[] = "0.0.0.0";
    const char *a = json_text(one, "address", "127.0.0.1"), *b = json_text(other, "address", "127.0.0.1");
    int64_t first = 0, last = 0, other_first = 0, other_last = 0;
    if (!one || !other || (!text_equal(a, b) && !text_equal(a, all) && !text_equal(b, all))) return false;
    range_of(one, &first, &last);
    range_of(other, &other_first, &other_last);
    return first <= other_last && other_first <= last && first <= last && other_first <= other_last;
}

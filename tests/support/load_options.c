/* load_options.c: the words of `build/load`. */
#include "tests/support/load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: load --url http://127.0.0.1:PORT/PATH [OPTION...]\n"
    "  --rate N             so many requests a second, whether they are answered or not\n"
    "  --connections N      so many connections, each asking anew when answered (16); with --rate: at most so many (1000)\n"
    "  --seconds S          for so long (10); 0: until SIGINT or SIGTERM\n"
    "  --requests N         at most so many\n"
    "  --timeout-ms N       an answer later than this is a failure (5000)\n"
    "  --close              a connection a request\n"
    "  --count-by WHAT      `body`: counts answers by their first line; `header:NAME`: by a header\n"
    "  --json               one line of JSON\n";

static void wrong(const char *what, const char *text)
{
    fprintf(stderr, "load: %s '%s'\n%s", what, text, help);
    exit(64);
}

static double number_of(const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (*end || end == text || !(number >= 0) || number > 1e9) wrong("no number:", text);
    return number;
}

static void read_url(const char *url, bool closes, struct load_options *options)
{
    char host[64] = "";
    unsigned port = 80;
    int used = 0;
    if (sscanf(url, "http://%63[0-9.]:%u%n", host, &port, &used) < 1 || port > 65535) wrong("no address like http://127.0.0.1:80/:", url);
    if (!used) used = 7 + (int)strlen(host);
    const char *path = url[used] ? url + used : "/";
    options->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &options->address.sin_addr) != 1 || path[0] != '/') wrong("no address like http://127.0.0.1:80/:", url);
    int size = snprintf(options->request, sizeof options->request, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: load\r\n%s\r\n", path,
        host, port, closes ? "Connection: close\r\n" : "");
    if (size < 0 || (size_t)size >= sizeof options->request) wrong("too long:", url);
    options->request_size = (size_t)size;
}

static void read_count_by(const char *what, struct load_options *options)
{
    options->counts = true;
    if (strncmp(what, "header:", 7) == 0)
        options->key_header = what + 7;
    else if (strcmp(what, "body") != 0)
        wrong("--count-by is body or header:NAME, not", what);
}

struct load_options load_read_options(int argc, char **argv)
{
    struct load_options options = {.seconds = 10, .requests = UINT64_MAX, .timeout_us = 5000000};
    const char *url = NULL;
    const struct option table[] = {{"url", 1, NULL, 'u'}, {"rate", 1, NULL, 'r'}, {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'},
        {"requests", 1, NULL, 'n'}, {"timeout-ms", 1, NULL, 't'}, {"close", 0, NULL, 'x'}, {"count-by", 1, NULL, 'k'},
        {"json", 0, NULL, 'j'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (option == 'u') url = optarg;
        if (option == 'r') options.rate = number_of(optarg);
        if (option == 'c') options.connections = (unsigned)number_of(optarg);
        if (option == 's') options.seconds = number_of(optarg);
        if (option == 'n') options.requests = (uint64_t)number_of(optarg);
        if (option == 't') options.timeout_us = (int64_t)(number_of(optarg) * 1000);
        if (option == 'x') options.closes = true;
        if (option == 'k') read_count_by(optarg, &options);
        if (option == 'j') options.json = true;
        if (option == '?') exit(64);
    }
    if (!url || optind != argc) wrong("--url is needed, and nothing else that is no option:", optind < argc ? argv[optind] : "");
    if (!options.connections) options.connections = options.rate > 0 ? 1000 : 16;
    read_url(url, options.closes, &options);
    return options;
}

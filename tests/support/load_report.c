/* load_report.c: what `build/load` has counted. */
#include "tests/support/load.h"

#include <stdio.h>

static const char *const failure_names[FAILED_KINDS] = {"refused", "reset", "torn", "timeout", "protocol"};

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        if ((unsigned char)*text >= 32) putchar(*text);
    }
    putchar('"');
}

static void print_latency(const struct histogram *latency)
{
    static const struct {
        const char *name;
        unsigned of_10000;
    } quantiles[] = {{"p50", 5000}, {"p90", 9000}, {"p95", 9500}, {"p99", 9900}, {"p99_9", 9990}};
    printf("\"latency_us\": {");
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        printf("\"%s\": %u, ", quantiles[i].name, histogram_quantile(latency, quantiles[i].of_10000));
    printf("\"max\": %u}", latency->max);
}

/* Of an open loop: what was due, but found every connection busy to the end. */
static uint64_t unsent(const struct load *load, bool interrupted)
{
    double asked_us = load->options.seconds * 1e6, took_us = (double)(load->ended_us - load->began_us);
    double due = load->options.rate * (asked_us > 0 && asked_us < took_us ? asked_us : took_us) / 1e6;
    if (due > (double)load->options.requests) due = (double)load->options.requests;
    return !interrupted && due > (double)load->sent ? (uint64_t)due - load->sent : 0;
}

void load_print_json(const struct load *load, bool interrupted)
{
    double seconds = (double)(load->ended_us - load->began_us) / 1e6;
    const char *comma = "";
    uint64_t failed = 0;
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        failed += load->failed[kind];
    printf("{\"sent\": %llu, \"unsent\": %llu, \"answered\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"per_second\": %.1f, \"bytes\": "
           "%llu, \"status\": {",
        (unsigned long long)load->sent, (unsigned long long)unsent(load, interrupted), (unsigned long long)load->answered,
        (unsigned long long)failed, seconds, (double)load->answered / seconds, (unsigned long long)load->bytes);
    for (int status = 0; status < 600; status++) {
        if (!load->statuses[status]) continue;
        printf("%s\"%d\": %llu", comma, status, (unsigned long long)load->statuses[status]);
        comma = ", ";
    }
    printf("}, \"failures\": {");
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        printf("%s\"%s\": %llu", kind ? ", " : "", failure_names[kind], (unsigned long long)load->failed[kind]);
    printf("}, \"by\": {");
    for (int i = 0; i < KEYS && load->keys[i].count; i++) {
        if (i) printf(", ");
        print_text(load->keys[i].name);
        printf(": %llu", (unsigned long long)load->keys[i].count);
    }
    printf("}, \"by_other\": %llu, ", (unsigned long long)load->other_keys);
    print_latency(&load->latency);
    printf("}\n");
}

void load_print_words(const struct load *load)
{
    const struct histogram *latency = &load->latency;
    printf("sent %llu, answered %llu in %.1f s\n", (unsigned long long)load->sent, (unsigned long long)load->answered,
        (double)(load->ended_us - load->began_us) / 1e6);
    for (int status = 0; status < 600; status++)
        if (load->statuses[status]) printf("  status %d: %llu\n", status, (unsigned long long)load->statuses[status]);
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        if (load->failed[kind]) printf("  failed, %s: %llu\n", failure_names[kind], (unsigned long long)load->failed[kind]);
    for (int i = 0; i < KEYS && load->keys[i].count; i++)
        printf("  %s: %llu\n", load->keys[i].name, (unsigned long long)load->keys[i].count);
    printf("  p50 %u us, p95 %u us, p99 %u us, most %u us\n", histogram_quantile(latency, 5000), histogram_quantile(latency, 9500),
        histogram_quantile(latency, 9900), latency->max);
}

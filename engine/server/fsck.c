/* fsck.c: `crescendo fsck`: are both journals of a data folder, and the logs and packages beside them, what they claim to be? */
#include "server/offline.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/artifacts_check.h"
#include "orchestrator/orders_check.h"
#include "run/check.h"

#include <stdio.h>

struct fsck {
    const struct offline *offline;
    json_t *findings; /* with --json */
};

static void print_finding(const struct finding *finding)
{
    AUTO(free_text) char *run = finding->run ? mem_format(", run %llu", (unsigned long long)finding->run) : mem_copy_text("");
    offline_print("%s%s%s%s: %s", finding->file, run, finding->table ? ", " : "", finding->table ? finding->table : "", finding->what);
    offline_print("    %s", finding->remedy);
}

static void on_finding(void *context, const struct finding *finding)
{
    const struct fsck *fsck = context;
    if (!fsck->offline->json) return print_finding(finding);
    json_t *entry = json_object();
    json_put_text(entry, "file", finding->file);
    if (finding->run) json_put_whole(entry, "run", (int64_t)finding->run);
    json_put_text(entry, "table", finding->table);
    json_put_text(entry, "what", finding->what);
    json_put_text(entry, "remedy", finding->remedy);
    json_array_append_new(fsck->findings, entry);
}

/* Adds what was looked at to *total. */
static int check_folder(struct fsck *fsck, const char *folder, const char *prefix, struct check *total, struct error *err)
{
    struct check check = {.folder = folder, .prefix = prefix, .found = on_finding, .context = fsck, .documents = orders_check};
    int failed = check_journal(&check, err);
    total->runs += check.runs;
    total->events += check.events;
    total->blobs += check.blobs;
    total->logs += check.logs;
    total->findings += check.findings;
    return failed;
}

static void add(struct fsck *fsck, struct check *total, const struct finding *finding)
{
    total->findings++;
    on_finding(fsck, finding);
}

struct packages {
    struct fsck *fsck;
    struct check *total;
    const char *prefix;
};

static void on_package(void *context, const char *name, const char *what)
{
    const struct packages *at = context;
    AUTO(free_text) char *file = mem_format("%sartifacts/%s", at->prefix, name);
    add(at->fsck, at->total,
        &(struct finding){.file = file,
            .what = what,
            .remedy = "a package that was published: restore the file from a backup; what runs of it has a copy, and goes on"});
}

/* A core's folder has them: one by itself, or the core's in a server's. */
static void check_packages(struct fsck *fsck, const char *folder, const char *prefix, struct check *total)
{
    AUTO(free_text) char *artifacts = mem_format("%s/artifacts", folder);
    struct packages packages = {fsck, total, prefix};
    artifacts_check(artifacts, on_package, &packages);
}

/* A core that has run something has a journal. */
static int check_core(struct fsck *fsck, const char *core, struct check *total, struct error *err)
{
    AUTO(free_text) char *journal = mem_format("%s/journal.db", core);
    AUTO(free_text) char *runs = mem_format("%s/runs", core);
    if (file_exists(journal) && check_folder(fsck, core, "core/", total, err) < 0) return -(int)err->code;
    if (!file_exists(journal) && file_exists(runs))
        add(fsck, total,
            &(struct finding){.file = "core/journal.db",
                .what = "is missing, though core/runs is there",
                .remedy = "restore it with journal.db from one backup: without it the core knows none of its orders and services"});
    check_packages(fsck, core, "core/", total);
    return 0;
}

static void print_total(const struct fsck *fsck, const struct check *total)
{
    unsigned long long runs = total->runs, events = total->events, blobs = total->blobs, logs = total->logs, findings = total->findings;
    if (fsck->offline->json) {
        AUTO(free_json)
        json_t *whole = json_pack("{s:O, s:I, s:I, s:I, s:I}", "findings", fsck->findings, "runs", (json_int_t)runs, "events",
            (json_int_t)events, "blobs", (json_int_t)blobs, "logs", (json_int_t)logs);
        json_dumpf(whole, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
        return;
    }
    printf("%llu run%s, %llu event%s, %llu plan%s, %llu log%s: ", runs, runs == 1 ? "" : "s", events, events == 1 ? "" : "s", blobs,
        blobs == 1 ? "" : "s", logs, logs == 1 ? "" : "s");
    if (findings)
        printf("%llu finding%s\n", findings, findings == 1 ? "" : "s");
    else
        puts("all is as it should be");
}

int fsck_run(const struct offline *offline, struct error *err)
{
    AUTO(free_json) json_t *findings = json_array();
    AUTO(free_text) char *core = mem_format("%s/core", offline->data);
    struct fsck fsck = {offline, findings};
    struct check total = {0};
    int failed = check_folder(&fsck, offline->data, "", &total, err);
    if (failed) return failed;
    check_packages(&fsck, offline->data, "", &total);
    failed = check_core(&fsck, core, &total, err);
    if (failed) return failed;
    print_total(&fsck, &total);
    return total.findings > 0;
}

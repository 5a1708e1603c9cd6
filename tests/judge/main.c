/* main.c: judge [--short] [--speed] [--like NUMBERS] [--only WORDS] [RUNS]: simulates canaries (default 20000 a scenario), judges them, and
   says whether each bar of the judge is cleared. Seeded: the same figures each time. --short: those scenarios that `make check` has.
   --speed: only what judging costs. --like: only how long harm of that kind takes. */
#include "tests/judge/judge.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 2, RUNS_DEFAULT = 20000, STREAMS_A_SECOND = 10000, STATE_MOST_BYTES = 1024 };

struct options {
    bool is_short, only_speed;
    const char *only, *like;
    unsigned runs;
};

static void tally_merge(struct tally *tally, const struct tally *other)
{
    tally->runs += other->runs;
    tally->control_runs += other->control_runs;
    tally->control_rejected += other->control_rejected;
    for (unsigned i = 0; i < TICKS; i++) {
        tally->harm[i] += other->harm[i];
        tally->promoted[i] += other->promoted[i];
    }
    realised_merge(&tally->realised, &other->realised);
}

/* Every other run in a process of its own. */
static bool simulate_all(const struct scenario *scenario, unsigned runs, struct tally *shared, struct tally *ret)
{
    bool is_good = true;
    pid_t workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] != 0) continue;
        simulate(scenario, (unsigned)(scenario - scenarios), i, WORKERS, runs, &shared[i]);
        _exit(0);
    }
    *ret = (struct tally){.runs = 0};
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = 0;
        is_good &= workers[i] > 0 && waitpid(workers[i], &status, 0) == workers[i] && status == 0;
        tally_merge(ret, &shared[i]);
    }
    return is_good && ret->runs == runs;
}

static void check(bool is_good, const char *what, unsigned *passed, unsigned *failed)
{
    printf("%s judge/%s\n", is_good ? "ok" : "not ok", what);
    ++*(is_good ? passed : failed);
}

static int run_scenarios(const struct options *options, unsigned *passed, unsigned *failed)
{
    struct tally *shared = mmap(NULL, WORKERS * sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return -1;
    for (unsigned i = 0; i < scenario_count; i++) {
        struct tally tally;
        if (options->is_short && !scenarios[i].is_short) continue;
        if (options->only && !strstr(scenarios[i].name, options->only)) continue;
        if (simulate_all(&scenarios[i], options->runs, shared, &tally))
            report(&scenarios[i], &tally, passed, failed);
        else
            check(false, "a worker ended badly", passed, failed);
    }
    return munmap(shared, WORKERS * sizeof *shared);
}

/* What the bars say beside the scenarios. Speed only in the long form: a busy machine is no fault of the judge. */
static void check_rest(const struct options *options, unsigned *passed, unsigned *failed)
{
    double judged, sorted;
    check(sizeof(struct evidence) <= STATE_MOST_BYTES, "a KPI's state is at most 1 KiB", passed, failed);
    check(replay_is_identical(options->is_short ? 3 : 50), "stored decisions are computed again to the same bits", passed, failed);
    if (options->is_short) return;
    measure_speed(60, &judged, &sorted);
    printf("  state: %zu bytes; speed: %.0f ticks of 60 values an arm a second of processor time\n", sizeof(struct evidence), judged);
    check(judged >= STREAMS_A_SECOND, "10,000 streams a second on one core", passed, failed);
    printf("later judge/no change, lag-1 correlation up to 0.95: needs blocks\n");
    printf("later judge/no change, bursts of errors in one arm: needs blocks\n");
    printf("later judge/backtest of 30 days of 50 KPIs: needs aggregates\n");
}

/* A line for each size of a tick: values an arm, ticks judged a second, ticks sorted a second. */
static void print_speed(void)
{
    static const unsigned sizes[] = {60, 1000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        double judged, sorted;
        measure_speed(sizes[i], &judged, &sorted);
        printf("%u %.0f %.0f\n", sizes[i], judged, sorted);
    }
}

static int read_options(char **words, struct options *ret)
{
    for (; *words; words++) {
        if (strcmp(*words, "--short") == 0)
            ret->is_short = true;
        else if (strcmp(*words, "--speed") == 0)
            ret->only_speed = true;
        else if (strcmp(*words, "--like") == 0 && words[1])
            ret->like = *++words;
        else if (strcmp(*words, "--only") == 0 && words[1])
            ret->only = *++words;
        else if (strtoul(*words, NULL, 10) > 0)
            ret->runs = (unsigned)strtoul(*words, NULL, 10);
        else
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.runs = RUNS_DEFAULT};
    unsigned passed = 0, failed = 0;
    (void)argc;
    if (read_options(argv + 1, &options) < 0 || (options.like && print_like(options.like, options.runs) < 0)) {
        fprintf(stderr, "judge: usage: judge [--short] [--speed] [--like NUMBERS] [--only WORDS] [RUNS]\n");
        return 2;
    }
    if (options.like) return 0;
    if (options.only_speed) {
        print_speed();
        return 0;
    }
    if (run_scenarios(&options, &passed, &failed) < 0) return 2;
    if (!options.only) check_rest(&options, &passed, &failed);
    printf("judge: %u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}

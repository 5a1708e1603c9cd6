/* judge.h: simulated canaries with known truth, judged tick by tick as a step would, and the bars that the judge must clear. */
#ifndef TESTS_JUDGE_JUDGE_H
#define TESTS_JUDGE_JUDGE_H

#include "steps/kpi/evidence.h"
#include "sim/random.h"

enum { TICKS = 60, ARM_MOST = 1000, BARS_MOST = 3 }; /* a tick a minute for an hour */

enum shape { LOG_NORMAL, PARETO, BIMODAL, ZERO_INFLATED, COARSE, COUNTS, FAILURES };

/* What requests are like. */
struct truth {
    enum shape shape;
    double canary, baseline;  /* factors of the values; of FAILURES the rates */
    double drift;             /* 0.3: both arms go up and down by 30 % over the hour */
    double correlation;       /* of a value with the next one of its arm (lag 1), in LOG_NORMAL */
    double sigma;             /* of LOG_NORMAL; 0: 0.6 */
    unsigned values, against; /* a tick of canary and baseline */
    unsigned missing_percent; /* of ticks, in each arm */
};

enum bar_kind { HARM_AT_MOST, HARM_AT_LEAST, HARM_ABOVE, HARM_MEDIAN, HARM_P90, PROMOTED_AT_LEAST, PROMOTED_AT_MOST, CONTROL_ABOVE };

struct bar {
    enum bar_kind kind;
    double limit; /* a share of runs, or ticks */
};

struct scenario {
    const char *name;
    struct truth truth;
    struct kpi_rules rules;
    bool clears;      /* a canary may be promoted and is over then */
    bool has_control; /* plain Mann-Whitney looks at the same values */
    bool is_short;    /* also in `make check` */
    unsigned bar_count;
    struct bar bars[BARS_MOST];
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* One canary's stream of ticks. */
struct stream {
    const struct truth *truth;
    struct chance chance;
    double phase, last[2]; /* where the drift begins; the last normal of each arm */
    unsigned tick;
    double values[2][ARM_MOST]; /* canary, baseline; of FAILURES 0 and 1 */
    struct kpi_sample sample;
};
void stream_begin(struct stream *stream, const struct truth *truth, uint64_t seed);
void stream_next(struct stream *stream);

/* What streams turned out to be, beside what they were meant to be. */
struct realised {
    double pairs, x, y, xx, yy, xy;      /* consecutive values of the baseline, as log(1 + value) */
    double ticks, means, squares, noise; /* of the ticks' levels */
    double ties, compared;               /* pairs across the arms */
};
void realised_add(struct realised *realised, const struct stream *stream);
void realised_merge(struct realised *realised, const struct realised *other);
double realised_correlation(const struct realised *realised);
double realised_drift(const struct realised *realised); /* amplitude of a wave with the ticks' variance beyond chance */
double realised_ties(const struct realised *realised);

/* What the judge must be better than: all values so far, compared anew at each tick with Mann and Whitney's test at a nominal 1 %,
 * one-sided. */
struct control {
    double *values[2], *room;
    size_t counts[2];
};
void control_init(struct control *control);
void control_begin(struct control *control);
bool control_rejects(struct control *control, const struct kpi_sample *sample);
void control_release(struct control *control);

/* How runs ended, by tick; runs that did not end are in none. */
struct tally {
    unsigned runs, harm[TICKS], promoted[TICKS];
    unsigned control_runs, control_rejected;
    struct realised realised;
};
/* Runs canaries first, first + step, … below `runs` of a scenario; its place is part of their seeds. */
void simulate(const struct scenario *scenario, unsigned place, unsigned first, unsigned step, unsigned runs, struct tally *ret);

/* The tick by which a part of all runs had ended; who never did counts as the horizon. */
unsigned quantile(const unsigned *by_tick, unsigned runs, double part);

/* The upper limit, with 99 % confidence, of a share of which `count` of `runs` were seen (Clopper and Pearson 1934). */
double upper_limit(unsigned count, unsigned runs);

/* Prints the scenario's line and its bars' lines; counts them. */
void report(const struct scenario *scenario, const struct tally *tally, unsigned *passed, unsigned *failed);

/* Stored decisions computed again through their JSON; false: a bit was another. */
bool replay_is_identical(unsigned runs);

/* Ticks of so many values an arm (at most ARM_MOST) judged a second of processor time, and the same values sorted only. */
void measure_speed(unsigned values, double *ret_judged, double *ret_sorted);

/* How long harm of one kind should take: of `words` VALUES,AGAINST,RATIO,SIGMA,TOLERATE,ALPHA (a tick of canary and baseline, log-normal
 * latencies) it prints the ticks until half and nine tenths of all runs are stopped, and the share that is within TICKS. -1: wrong words.
 */
int print_like(const char *words, unsigned runs);

#endif

/* ramp.h: the ramp of a canary: from one tick's reading and the evidence so far it decides whether the share stays, rises, or a verdict has
   come. Pure: the clock's time comes in with the reading.

   Rules. A tick has one share. After each change of share the first reading and all within the warm-up are discarded. The share rises when
   it was judged for `shortest`, no guard is open and no critical KPI's E of harm is above 1/sqrt(alpha_k); it is promoted from the last
   share only, when besides every critical KPI is clear. Harm is harm at any time: a critical KPI's E >= 1/alpha_k, or the weighted sum of
   them >= 1/alpha, which both follow from sum(alpha_k E_k) >= 1.

   Time is counted in ticks: each reading adds now - last reading, but not less than 0 and not more than twice `every`. So a clock that is
   set, in either direction, ends nothing and lengthens nothing, and a long pause (a server that was dead) counts as two ticks at most.

   Two things are harm without statistics, where the domain tells them: an instance of the canary stops by itself for the second time, or
   the canary answers nothing for `shortest` while the baseline does and many more requests to it are open than its share explains. Until
   then both hold the share; such a tick is fed all the same where both answered, so that what comes late, or fails, is seen. */
#ifndef CRESCENDO_STEPS_KPI_RAMP_H
#define CRESCENDO_STEPS_KPI_RAMP_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RAMP_SHARES_MAX = 20 };

enum ramp_doubt { RAMP_DOUBT_ROLLBACK, RAMP_DOUBT_EXTEND, RAMP_DOUBT_HOLD };

struct ramp_rules {
    size_t share_count;
    double shares[RAMP_SHARES_MAX]; /* percent, rising */
    int64_t every_ms, shortest_ms, longest_ms, warm_up_ms;
    enum ramp_doubt doubt; /* what follows when `longest` has passed without a verdict */
    int64_t hold_ms;       /* held in doubt until so much has passed in all, and at least `longest`; 0: as long as nobody ends it */
    int64_t blind_ms;      /* how long it goes on without usable data; -1: as long as the rest allows */
};

/* Why a tick is not used; docs/formats/evidence.md has the names. All but the warm-up are guards: they hold the share, and never promote.
 */
enum ramp_because {
    RAMP_USED,
    RAMP_WARM_UP,
    RAMP_GAP,
    RAMP_NO_DATA,
    RAMP_ONE_ARM,
    RAMP_SAMPLE_RATIO,
    RAMP_STALE,
    RAMP_UNANSWERED,
    RAMP_RESTARTED,
    RAMP_BECAUSE_COUNT
};

enum ramp_verdict { RAMP_OPEN, RAMP_PROMOTED, RAMP_HARM, RAMP_INCONCLUSIVE, RAMP_WITHOUT_DATA, RAMP_WENT_STALE, RAMP_VERDICT_COUNT };

struct ramp {
    uint32_t index;            /* of the share, from 1; 0: before the first */
    uint64_t tick;             /* the last one's number */
    int64_t read_ms;           /* the clock at the last reading, or at the change of share */
    bool fresh;                /* nothing was read since the change */
    int64_t on_share_ms;       /* since the change */
    int64_t judged_ms;         /* of it, in ticks that were used */
    int64_t total_ms;          /* since the first share */
    int64_t blind_ms;          /* since the last tick that was used, without warm-ups */
    uint64_t canary, baseline; /* requests on this share behind the warm-up */
    int64_t unanswered_ms;     /* since the canary's last answer, while many requests to it are open */
    uint64_t open;             /* of the canary, at the last reading */
    uint64_t restarts;         /* of the canary's instances, by themselves, since the first share */
    bool extended;
    enum ramp_because because; /* of the last tick */
    bool used;                 /* the last tick is to be fed; in no checkpoint */
};

struct ramp_reading {
    int64_t now_ms;                      /* wall clock */
    uint64_t canary, baseline;           /* requests */
    bool gap;                            /* the source lost some */
    bool stale;                          /* the source could not be read, or has gone back */
    bool told;                           /* the domain told what follows */
    uint64_t open_canary, open_baseline; /* requests under way */
    uint64_t restarts;                   /* of the canary's instances, by themselves, since the last reading */
};

enum ramp_shown { RAMP_BY_KPI, RAMP_BY_RESTARTS, RAMP_BY_OPEN };

/* What the ramp needs of one KPI's evidence: natural logarithms. */
struct ramp_evidence {
    bool critical;
    double harm, harm_bar, clear, clear_bar;
};

struct ramp_decision {
    enum ramp_verdict verdict;
    uint32_t index;     /* the share to change to; 0: it stays */
    bool extended;      /* `longest` has passed, and it goes on once more as long */
    size_t kpi;         /* harm: the KPI that shows it most */
    enum ramp_shown by; /* harm: what shows it */
};

/* The share of this index is in force from now on. */
void ramp_begin_share(struct ramp *ramp, uint32_t index, int64_t now_ms);

/* Takes one reading. Returns what it counts for, in milliseconds; ramp->used says whether its values are to be fed. */
int64_t ramp_take(struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_reading *reading);

/* Decides behind ramp_take, once the evidence was fed. */
struct ramp_decision ramp_decide(
    struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_evidence *evidence, size_t evidence_count);

const char *ramp_because_name(enum ramp_because because);
const char *ramp_verdict_name(enum ramp_verdict verdict);

json_t *ramp_to_json(const struct ramp *ramp);
int ramp_from_json(const json_t *json, const struct ramp_rules *rules, struct ramp *ret, struct error *err) MUST_CHECK;

#endif

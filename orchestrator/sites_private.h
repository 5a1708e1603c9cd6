/* sites_private.h: what the files about sites share.

   sites.c         opening, the timer, a look at a keeper and what follows from it
   sites_files.c   domains/NAME.yaml
   sites_routes.c  leases and the domains' routes */
#ifndef CRESCENDO_ORCHESTRATOR_SITES_PRIVATE_H
#define CRESCENDO_ORCHESTRATOR_SITES_PRIVATE_H

#include "orchestrator/holders.h"
#include "orchestrator/sites.h"

struct asking { /* somebody who wants to know how a domain is now */
    struct asking *next;
    struct request *request;
};

struct site { /* a domain in use */
    struct site *next;
    char *name;
    json_t *lines; /* what its keeper said last; NULL = nothing yet */
    bool looking;  /* a worker asks it now */
    bool waits;    /* its file says other ports than its keeper has, which has services */
    char *trouble; /* why the last look failed, which was told; NULL = it did not */
    int64_t looked_us;
    json_t *strays;                   /* services that it has and must not have: ended at the next look; NULL = none */
    struct asking *asking, *awaiting; /* for the next look; for the one under way, which began after they had asked */
};

struct sites {
    uv_loop_t *loop;
    char *domains, *keepers, *shim;
    struct orders *orders;
    struct journal *journal;
    struct holders *holders; /* who renews leases */
    uv_timer_t timer;
    struct site *list;
    json_t *files;    /* name → typed domain */
    json_t *wrong;    /* name → what is wrong with its file; what it said before, if anything, is in files */
    char *files_seen; /* which files there were, and of when */
    int64_t files_us;
    unsigned pending; /* workers that will come back, and the timer */
    bool closing;
};

void sites_read_files(struct sites *sites);
struct site *site_find(struct sites *sites, const char *name); /* NULL: not in use since the core was started */
void sites_replaced(struct sites *sites, const char *domain);  /* its keeper obeys a later core: ours stops */
void sites_release(struct sites *sites);                       /* one of pending is back */
/* Answers with the domain as its keeper says it is from now on: at once where it was not in use since the core was started. */
void sites_answer(struct sites *sites, const char *name, struct request *request);
void sites_respond(struct sites *sites, const struct site *site, const char *name, struct request *request); /* with what is known */

#endif

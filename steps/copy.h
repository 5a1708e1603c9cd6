/* copy.h: copies files between folders for checkouts: bytes, executable bit and time as they are; links only where they stay inside. */
#ifndef CRESCENDO_STEPS_COPY_H
#define CRESCENDO_STEPS_COPY_H

#include "checkout.h"

struct copy {
    struct checkout *checkout;
    bool replace; /* files that are there give way, folders are shared; else both are errors */
    bool (*leave_out)(void *context, const char *shown, bool is_folder); /* NULL: nothing is left out */
    void *context;
};

/* Everything in the open folder `from` into `to`; above is the path of both below their tops ("" at the top). */
int copy_folder(const struct copy *copy, int from, int to, const char *above, unsigned depth, struct error *err) MUST_CHECK;
/* One entry. Sockets, devices, pipes and links that lead outside are passed over with an annotation. */
int copy_entry(
    const struct copy *copy, int from, const char *name, int to, const char *shown, unsigned depth, struct error *err) MUST_CHECK;

#endif

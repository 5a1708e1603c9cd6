/* site.h: what a domain's site offers: flavours, each with what one component of it may have, and capacity, what all together may have.
   Measures: cpu (thousandths of a processor), memory and disk (bytes), instances, users, downlink and uplink (bits per second), latency
   (milliseconds), reliability (percent), slice-type (a word). Pure. */
#ifndef CRESCENDO_FULFIL_SITE_H
#define CRESCENDO_FULFIL_SITE_H

#include "base/text.h"
#include "crescendo/error.h"

#include <jansson.h>

enum measure_rule { MEASURE_AT_LEAST, MEASURE_AT_MOST, MEASURE_SAME };
enum measure_unit { UNIT_CPU, UNIT_BYTES, UNIT_BITRATE, UNIT_MS, UNIT_PERCENT, UNIT_COUNT, UNIT_WORD };
struct measure {
    const char *name, *kind; /* kind: of the components that ask for it */
    enum measure_rule rule;  /* what a flavour must have of it */
    enum measure_unit unit;
    bool adds_up; /* components use the site's capacity together */
};
extern const struct measure site_measures[];                                              /* ended by name == NULL */
void measure_print(const struct measure *measure, const json_t *value, struct text *out); /* "0.5 cpu", "latency 5 ms" */

/* The flavour that meets what a component needs of its kind's measures: the one that is named, or the smallest. *ret: borrowed from site;
   NULL where the site has none of this kind. -ERROR_CONFLICT: none meets it; the message names the nearest and what it lacks.
   -ERROR_INVALID: the named one is not there. */
struct flavour_wish {
    const char *domain, *component, *kind;
    const char *named;   /* NULL = any */
    const json_t *needs; /* object: measure → value */
};
int site_find_flavour(const json_t *site, const struct flavour_wish *wish, const char **ret, struct error *err) MUST_CHECK;

/* Is there room for `more` beside what is used? Both are objects of numbers by measure. -ERROR_CONFLICT says what is left. */
int site_check_capacity(const json_t *site, const char *domain, const json_t *used, const json_t *more, struct error *err) MUST_CHECK;
/* sum += part, by measure; what is negative in part counts, too. */
void measures_add(json_t *sum, const json_t *part, double factor);

#endif

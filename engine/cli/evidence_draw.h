/* evidence_draw.h: the evidence of a canary for people: a table, a chart for the terminal, a picture. Pure. */
#ifndef CRESCENDO_CLI_EVIDENCE_DRAW_H
#define CRESCENDO_CLI_EVIDENCE_DRAW_H

#include "cli/evidence_record.h"
#include "cli/terminal.h"

/* evidence_table.c: the verdict, each KPI, each share. */
void evidence_table(const struct evidence_record *evidence, const struct terminal *terminal, struct text *out);
void evidence_add_effect(const struct kpi_record *kpi, struct text *out); /* "+48 % (+45..+52)", "odds x 2.1 (1.4..3.0)" */
const char *evidence_shown(const struct evidence_record *evidence, const struct kpi_record *kpi); /* "harm", "harmless", "open" */
void evidence_add_title(const struct evidence_record *evidence, struct text *out);                /* "hello: 1.1.0 beside 1.0.0" */
void evidence_add_tick(
    const struct evidence_record *evidence, struct text *out); /* " at tick 14"; nothing where no tick led to the verdict */

/* evidence_chart.c: each E on its way to its bar, and the share, a column or more a tick; as wide as the terminal, 80 where that is not
   known. ascii: no other characters. Nothing where there is no tick. */
void evidence_chart(const struct evidence_record *evidence, const struct terminal *terminal, bool ascii, struct text *out);

/* evidence_svg.c: the same as a picture that needs nothing else, light or dark as its reader likes. heading: "run 12, release/judge". */
void evidence_svg(const struct evidence_record *evidence, const char *heading, struct text *out);

#endif

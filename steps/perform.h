/* perform.h: what the built-in types do in the step's process. Linked into crescendo-step only; the tables refer to these weakly. */
#ifndef CRESCENDO_STEPS_PERFORM_H
#define CRESCENDO_STEPS_PERFORM_H

#include "crescendo/step.h"

int checkout_perform(struct step *step, struct error *err);
int package_perform(struct step *step, struct error *err);
int publish_perform(struct step *step, struct error *err);
int order_perform(struct step *step, struct error *err);
int shift_perform(struct step *step, struct error *err);
int kpi_perform(struct step *step, struct error *err);
int scale_perform(struct step *step, struct error *err);
int promote_perform(struct step *step, struct error *err);
int retire_perform(struct step *step, struct error *err);
int notify_perform(struct step *step, struct error *err);

int publish_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int order_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int shift_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int kpi_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int scale_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int promote_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int retire_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
int notify_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);

json_t *ordering_expect(const struct step *step, const json_t *body); /* of all types that order */
void ordering_delivery(const struct step *step, struct delivery *ret);

json_t *publish_expect(const struct step *step, const json_t *body);
void publish_delivery(const struct step *step, struct delivery *ret);
int publish_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);
int order_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);
int shift_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);
int kpi_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);
int scale_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);

#endif

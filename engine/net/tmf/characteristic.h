/* characteristic.h: TM Forum's name-and-value lists: serviceCharacteristic of orders and inventory, specCharacteristic of specifications.
   Peers write values in several ways ({"value": 2}, {"value": {"value": "2"}}, "2" for 2); here they are read alike. Pure. */
#ifndef CRESCENDO_NET_TMF_CHARACTERISTIC_H
#define CRESCENDO_NET_TMF_CHARACTERISTIC_H

#include "crescendo/error.h"

#include <jansson.h>
#include <stdint.h>

/* The value of NAME in a list of {name, value}; NULL = not there. Borrowed. */
const json_t *characteristic_find(const json_t *list, const char *name);
const char *characteristic_text(const json_t *list, const char *name, const char *fallback);
int64_t characteristic_whole(const json_t *list, const char *name, int64_t fallback);
double characteristic_number(const json_t *list, const char *name, double fallback);

/* The value that a specification's characteristic NAME says; NULL = none. Borrowed. */
const json_t *specification_value(const json_t *specification, const char *name);

/* In a list of {role, name, id} (places, parties): the name, else the id, of the first with that role. NULL = none. Borrowed. */
const char *name_by_role(const json_t *list, const char *role);

/* A number from outside, also as text. false: it is none. */
bool value_to_number(const json_t *value, double *ret);

/* Replaces or appends {name, valueType, value}; steals value, whose type says valueType. NULL removes. */
void characteristic_set(json_t *list, const char *name, json_t *value);
/* An entry {name, value, ...} as it is, in the place of the one of its name, or behind the others. */
void characteristic_put(json_t *list, json_t *entry);

#endif

/* registry.h: the core's driver types: what the steps of an order's plan are. The mains hand the table on. */
#ifndef CRESCENDO_DRIVERS_REGISTRY_H
#define CRESCENDO_DRIVERS_REGISTRY_H

#include "crescendo/step.h"

/* NULL-ended. */
extern step_types driver_types[];

#endif

/* serve_core.h: `crescendo-server core`: the orchestration core as a program by itself. */
#ifndef CRESCENDO_SERVER_SERVE_CORE_H
#define CRESCENDO_SERVER_SERVE_CORE_H

#include "crescendo/step.h"
#include "server/arguments.h"

/* Runs until it is told to stop; returns the exit code. */
int serve_core(const struct arguments *arguments, step_types *drivers);

#endif

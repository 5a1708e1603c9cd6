/* launch.h: starting a shim and finding one: its process, its lock, its socket. Inside engine/exec only. */
#ifndef CRESCENDO_EXEC_LAUNCH_H
#define CRESCENDO_EXEC_LAUNCH_H

#include "crescendo/error.h"

#include <sys/types.h>

/* Is there a living shim for this folder? Where it cannot be looked at (no descriptor is free), there is. */
bool launch_is_locked(const char *folder);
/* Its process; 0: there is none, or nobody can tell. */
pid_t launch_holder(const char *folder);

/* Starts one and waits until it listens; one that is there already is fine. Blocks for its start, some milliseconds at worst 10 s. */
int launch_shim(const char *folder, const char *shim_path, struct error *err) MUST_CHECK;

/* One that no run has yet. */
int launch_spare(const char *folder, const char *shim_path, struct error *err) MUST_CHECK;

/* The same for a domain's keeper: KEEP/keeper.lock and KEEP/keeper.sock. */
bool launch_keeper_lives(const char *folder);
bool launch_keeper_answers(const char *folder);
int launch_keeper(const char *folder, const char *shim_path, struct error *err) MUST_CHECK;

/* A non-blocking connection to RUN/shim.sock, or -1. */
int launch_connect(const char *folder);

#endif

/* lock.h: one server for a data folder. */
#ifndef CRESCENDO_STORE_LOCK_H
#define CRESCENDO_STORE_LOCK_H

#include "crescendo/error.h"

/* Locks FOLDER/lock, which then holds our process id, for as long as *ret_fd is open. Waits up to a second and a half for
   one that is dying. -ERROR_CONFLICT names the one who has it. */
int lock_take(const char *folder, int *ret_fd, struct error *err) MUST_CHECK;

#endif

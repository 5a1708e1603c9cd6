/* unpack_perform.h: a package becomes a folder. */
#ifndef CRESCENDO_DRIVERS_UNPACK_PERFORM_H
#define CRESCENDO_DRIVERS_UNPACK_PERFORM_H

#include "crescendo/error.h"

/* Verifies that the file is what digest ("sha256:HEX") says and unpacks it into PACKAGES/HEX, which is there as a whole or not at all; one
   that is there is used as it is. *ret: its path, caller frees. The process's current folder changes. -ERROR_CONFLICT: other bytes;
   -ERROR_INVALID: no archive, or with something in it that leads out of the folder; -ERROR_LIMIT. */
int package_unpack(const char *file, const char *digest, const char *packages, char **ret, struct error *err) MUST_CHECK;

#endif

/* artifacts_check.h: is each package still what its name says? For `crescendo fsck`. */
#ifndef CRESCENDO_ORCHESTRATOR_ARTIFACTS_CHECK_H
#define CRESCENDO_ORCHESTRATOR_ARTIFACTS_CHECK_H

/* Reads all whole packages in the folder, which need not be there, and complains of those with another digest than their name, and of those
 * that cannot be read. name and what are borrowed. Blocks for the disk. */
void artifacts_check(const char *folder, void (*complain)(void *context, const char *name, const char *what), void *context);

#endif

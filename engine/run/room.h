/* room.h: how much room is left on the disk of a data folder. Where there is none, the journal may still have some in its own files, while
   a run's supervisor cannot write down what becomes of its steps: it waits, and so does the run. Somebody has to be told. */
#ifndef CRESCENDO_RUN_ROOM_H
#define CRESCENDO_RUN_ROOM_H

struct engine;
struct room;

struct room *room_open(
    struct engine *engine); /* looks every few seconds; the log says when there is too little, and when there is enough again */
void room_close(struct room **room);

/* NULL: there is enough, or nobody can tell. Else what is the matter, where, and what to do, as one clause; malloc'd. Does not block for
 * long: one system call. */
char *room_trouble(const char *folder);

#endif

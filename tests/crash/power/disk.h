/* disk.h: what the preloaded disk and the test that starts it have in common. Read by disk.py, too: change both.
   The disk is a library that is loaded into the real programs (LD_PRELOAD): it stands between them, SQLite and libuv with them,
   and the kernel, for the files below one folder. Everything is written at once, as to the page cache, so that all processes see it; but
   how to take it back is noted in a log until it was synced. After a loss of power the test takes back what the log says was not (disk.py).
   Environment: POWER_FOLDER, the folder, without links and without a slash at its end; POWER_LOG, a folder beside it, on the same disk, in
   which are `control` (struct control, mapped) and `log` (records). */
#ifndef TESTS_CRASH_POWER_DISK_H
#define TESTS_CRASH_POWER_DISK_H

#include <stdatomic.h>
#include <stdint.h>

enum { CALL_SYNC, CALL_WRITE, CALL_RENAME, CALLS };

/* What the test wants, and what has come of it. */
struct control {
    _Atomic uint32_t points;  /* syncs and renames so far */
    _Atomic uint32_t stop_at; /* the process is killed at this point; 0: never */
    uint32_t stop_after;      /* 1: when the point is done, 0: before it is begun */
    uint32_t freeze;          /* 1: it is not killed but stopped, so that nobody sees it die before the power goes */
    uint32_t stopped;         /* the process that was */
    uint32_t deaf;            /* 1: a sync says that all is well and is not noted */
    uint32_t synchronous_off; /* 1: SQLite is told `synchronous = OFF` where the program says FULL */
    uint32_t fail_call;       /* one of CALL_ */
    _Atomic uint32_t fail_at; /* this call of that kind fails; 0: none */
    uint32_t fail_last;       /* and those up to this one */
    int32_t fail_errno;
    _Atomic uint32_t calls[CALLS]; /* so far */
    char name[256];                /* what was stopped or failed first */
};

enum record_kind { RECORD_WRITE = 1, RECORD_SYNC, RECORD_MADE, RECORD_MOVED, RECORD_GONE };

/* Behind it in the log: path, other path, bytes. */
struct record {
    uint32_t kind, path_size, other_size, bytes_size;
    uint64_t inode;      /* of the file or folder that is written, synced (0: all of them), made, moved or gone */
    uint64_t offset;     /* WRITE: where the old bytes stood; SYNC: the log's size when it began */
    uint64_t old_size;   /* WRITE: the file's size before; GONE: the number under which it is kept, 0: it was a folder */
    uint64_t parents[2]; /* the folders that must be synced for it to last */
};

#endif

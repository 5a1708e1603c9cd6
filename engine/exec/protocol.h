/* protocol.h: what engine and shim say to each other over the socket RUN/shim.sock, and what the shim writes to
   RUN/reports. Version 2; docs/formats/shim-protocol.md tells the story, this header is the wire. Used by the static shim,
   so nothing here needs more than the C library.

   A frame: u32 size of what follows the header, u8 type, then the payload; little endian. A payload is a sequence of fields
   in the order given below: u32, u64, i64 as such; text = u32 size + bytes; list = u32 count + texts.

   Rules learnt from a prototype: on a new connection nothing is sent before HELLO and replay; the engine accepts only the
   sequence number that follows the last; a START of a known (step, attempt) is ignored. */
#ifndef CRESCENDO_EXEC_PROTOCOL_H
#define CRESCENDO_EXEC_PROTOCOL_H

#include <stdint.h>

enum { SHIM_PROTOCOL_VERSION = 2, SHIM_PROTOCOL_OLDEST = 1, SHIM_FRAME_MAX = 4 * 1024 * 1024, SHIM_HEADER_SIZE = 5 };

/* engine → shim */
enum shim_request {
    SHIM_ATTACH = 1, /* u32 the oldest version that the engine speaks, u64 last sequence number that it has on disk, u64 its epoch, u32
                        the newest version that it speaks (both since version 2; 1 does not read them); the first frame. Replay follows. */
    SHIM_SANDBOX,    /* u32 stage, text workspace, u32 mode (enum sandbox_mode), u32 network (0 none, 1 host), u64 memory_bytes,
                        u32 cpu_thousandths, u32 processes, u64 disk_bytes (0 = no limit), list read-only paths besides the
                        system's ("/srv/repo.git"), list read-write folders besides the workspace, text run name for messages.
                        Known stage: ignored. "stage" is any number that names a sandbox. */
    SHIM_START,      /* u32 step, u32 attempt, u32 stage, u32 after (step that must have succeeded in this shim; UINT32_MAX none),
                        u32 flags (enum start_flag), u64 timeout_ms (from its start), u64 grace_ms, u64 output limit bytes,
                        list argv, list environment ("NAME=value"), text standard input, text title; and, where the run names secrets, list
                        of environment whose values are secret, list of values to hide only. The shim keeps these in memory alone */
    SHIM_CANCEL,     /* u32 step, u32 attempt: SIGTERM, after the grace SIGKILL; not started: reported as dropped */
    SHIM_SAY,        /* u32 step, u32 attempt, text line: to the step's descriptor 3, a newline is added */
    SHIM_ACK,        /* u64 sequence number: on disk; the shim may forget up to it */
    SHIM_END_STAGE,  /* u32 stage: its sandbox may go when no step of it lives */
    SHIM_END,        /* the run is over: exit when no step lives, removing socket and cgroups, keeping reports and log */
    SHIM_TAKE,       /* text RUN: to a spare shim, whose folder was renamed to that of the run that it belongs to from now on */
};

enum start_flag {
    START_TALKS = 1, /* speaks the step protocol on descriptor 3 */
    START_GROUP = 2, /* reserved */
};

/* Uid and gid of sandboxed steps where the shim is root. */
enum { SANDBOX_USER = 0x7ac20000 };
enum sandbox_mode { SANDBOX_DEFAULT = 0, SANDBOX_NONE = 1 };
enum sandbox_degree { DEGREE_NAMESPACES = 0, DEGREE_LANDLOCK = 1, DEGREE_NONE = 2 };

/* shim → engine. All but SHIM_HELLO, SHIM_STALE and SHIM_STUCK begin with u64 sequence number and i64 wall clock ms, are appended to
   RUN/reports (same frames) before they are sent, and are sent again after an attach until acknowledged. */
enum shim_report {
    SHIM_HELLO = 64, /* u32 version, u32 shim's pid, u64 first sequence number it can replay, u64 last one made */
    SHIM_STARTED,    /* u32 step, u32 attempt, u32 pid (as seen by the shim), u32 degree, u64 offset in the log segment */
    SHIM_LINE,       /* u32 step, u32 attempt, text line (without newline) from descriptor 3 */
    SHIM_EXITED,     /* u32 step, u32 attempt, u32 cause (enum shim_cause), u32 exit code, u32 signal, u64 cpu_us, u64 peak memory
                        bytes, u64 log bytes written, text content of $CRESCENDO_OUTPUT, text message */
    SHIM_DROPPED,    /* u32 step, u32 attempt */
    SHIM_REFUSED,    /* u32 step, u32 attempt, text message: could not be started */
    SHIM_ISOLATION,  /* u32 stage, u32 degree, text message: what the sandbox of this stage could be; once a stage */
    SHIM_STALE, /* u64 epoch: an engine of this one was here, which is later than yours. Instead of SHIM_HELLO, since version 2; then the
                   connection is closed */
    SHIM_STUCK, /* u32 errno: RUN/reports cannot be written, and no report comes before it can be; 0: it can again. To an engine that says
                   that it speaks version 2 */
};
/* The order of enum exit_cause (state/state.h); a unit test holds them together. */
enum shim_cause {
    SHIM_CAUSE_EXIT,
    SHIM_CAUSE_SIGNAL,
    SHIM_CAUSE_TIMEOUT,
    SHIM_CAUSE_CANCELLED,
    SHIM_CAUSE_MEMORY,
    SHIM_CAUSE_DISK,
    SHIM_CAUSE_PROCESSES
};

/* A log segment (RUN/log): the 8 bytes "CRLOG\0\0\1", then records, each a struct log_record and size bytes of payload. A record
   is written with one write(); a torn tail (short or bad magic) is the end. Text is as the step wrote it, cut at any byte. */
#define LOG_SEGMENT_MAGIC "CRLOG\0\0\1"
enum { LOG_RECORD_MAGIC = 0x4c47 };
enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2, LOG_ENGINE = 3 /* a line of ours: "ended by its memory limit" */ };
struct log_record {
    uint16_t magic;
    uint8_t stream, reserved;
    uint32_t size; /* of the payload */
    uint32_t step, attempt;
    int64_t time_us; /* wall clock */
};

/* Starting: the engine makes RUN/ and runs `crescendo-shim RUN`, with descriptor 3 a pipe end that it holds. The shim takes a write lock
   (fcntl, F_SETLK) on RUN/shim.lock, listens on RUN/shim.sock, writes one byte to descriptor 3 and closes it; then it is a
   daemon of its own (setsid, close_range, standard descriptors on /dev/null). A second shim for a locked folder exits with 75.
   `crescendo-shim --spare FOLDER` starts one that no run has yet: it ends with its engine's connection unless it was taken before. */

/* RUN/boot: under which boot of the machine, as the kernel names it, RUN/reports was begun. The file is not synced, so that after another
   boot nobody can tell what of it is whole: a page that was lost inside of a report reads as one of a step that went well. A folder without
   it is an older shim's. */
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
enum { BOOT_ID_BYTES = 36 };

#endif

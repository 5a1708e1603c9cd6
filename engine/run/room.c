/* room.c: looks how much room is left on the disk of a data folder, and says so where it is too little. */
#include "run/room.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/live.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    LOOK_MS = 5000,
    LOW_BYTES = 256 * 1024, /* with less, the next report, log or commit may not fit */
};

struct room {
    struct engine *engine;
    uv_timer_t timer;
    bool is_low; /* that was said */
};

char *room_trouble(const char *folder)
{
    struct statvfs disk;
    AUTO(text_release) struct text left = {0};
    if (statvfs(folder, &disk) < 0) return NULL;
    uint64_t bytes = (uint64_t)(geteuid() ? disk.f_bavail : disk.f_bfree) * disk.f_frsize; /* some of it may be root's alone */
    if (bytes >= LOW_BYTES) return NULL;
    text_add_size(&left, (int64_t)bytes);
    return mem_format("the disk of %s is full: %s are left; where nothing can be written down, runs stand still; make room, and they go on",
        folder, text_view(&left));
}

static void on_timer(uv_timer_t *timer)
{
    struct room *room = timer->data;
    const char *folder = room->engine->options.data;
    AUTO(free_text) char *trouble = room_trouble(folder);
    if (trouble && !room->is_low) log_line(LOG_LEVEL_ERROR, "%s", trouble);
    if (!trouble && room->is_low) log_line(LOG_LEVEL_INFO, "there is room again on the disk of %s", folder);
    room->is_low = trouble != NULL;
}

struct room *room_open(struct engine *engine)
{
    struct room *room = mem_alloc(sizeof *room);
    room->engine = engine;
    uv_timer_init(engine->loop, &room->timer);
    room->timer.data = room;
    uv_timer_start(&room->timer, on_timer, 0, LOOK_MS);
    return room;
}

static void closed(uv_handle_t *timer)
{
    free(timer->data);
}

void room_close(struct room **room)
{
    struct room *one = take(room);
    if (one) uv_close((uv_handle_t *)&one->timer, closed);
}

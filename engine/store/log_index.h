/* log_index.h: which frames of a compressed segment hold records of which step, gathered while it is written. Inside engine/store only. */
#ifndef CRESCENDO_STORE_LOG_INDEX_H
#define CRESCENDO_STORE_LOG_INDEX_H

#include "store/log_format.h"

#include <stdbool.h>
#include <stddef.h>

/* Starts as {0}. */
struct log_index {
    struct index_range *ranges;
    size_t count, capacity, sorted; /* of count so many are put together */
    bool overfull;                  /* more than a file may have: it will have none */
};
void log_index_add(struct log_index *index, uint32_t step, uint32_t frame); /* frames in their order */
/* Sorted, each run of frames one range. */
void log_index_finish(struct log_index *index);
void log_index_release(struct log_index *index);

#endif

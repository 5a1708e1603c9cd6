/* append.c: a batch copied into one block of memory, texts and all, so that handing it over is one pointer. */
#include "store/journal_private.h"

#include "base/mem.h"

#include <string.h>

/* A mark that moves through the block: first to measure (base NULL), then to copy. Both passes are the same code, so that
   they cannot disagree. */
struct packer {
    char *base;
    size_t used;
};

static void *pack_bytes(struct packer *packer, const void *bytes, size_t size, size_t align)
{
    packer->used = (packer->used + align - 1) / align * align;
    char *at = packer->base ? packer->base + packer->used : NULL;
    if (at && size) memcpy(at, bytes, size);
    packer->used += size;
    return at;
}

static void pack_text(struct packer *packer, const char **text)
{
    if (*text) *text = pack_bytes(packer, *text, strlen(*text) + 1, 1);
}

static void pack_run(struct packer *packer, struct run_row *row)
{
    const char **texts[] = {&row->key, &row->pipeline, &row->repository, &row->ref, &row->commit_id, &row->author, &row->title,
        &row->trigger, &row->state, &row->reason, &row->message, &row->waiting_for, &row->plan};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        pack_text(packer, texts[i]);
}

static void pack_step(struct packer *packer, struct step_row *row)
{
    const char **texts[] = {
        &row->path, &row->type, &row->title, &row->state, &row->reason, &row->message, &row->waiting_for, &row->outputs};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        pack_text(packer, texts[i]);
}

static void pack_events(struct packer *packer, struct append *append)
{
    const struct journal_batch *batch = &append->batch;
    struct journal_event *events = pack_bytes(packer, batch->events, batch->event_count * sizeof *events, _Alignof(struct journal_event));
    for (size_t i = 0; i < batch->event_count; i++) {
        struct journal_event event = batch->events[i];
        pack_text(packer, &event.type);
        pack_text(packer, &event.data);
        append->durable |= event.durable;
        if (events) events[i] = event;
    }
    append->batch.events = events;
}

static void pack_steps(struct packer *packer, struct append *append)
{
    const struct journal_batch *batch = &append->batch;
    struct step_row *steps = pack_bytes(packer, batch->steps, batch->step_count * sizeof *steps, _Alignof(struct step_row));
    for (size_t i = 0; i < batch->step_count; i++) {
        struct step_row row = batch->steps[i];
        pack_step(packer, &row);
        if (steps) steps[i] = row;
    }
    append->batch.steps = steps;
}

static void pack_blob(struct packer *packer, struct append *append, const struct blob *blob)
{
    append->blob = *blob;
    pack_text(packer, &append->blob.digest);
    append->blob.bytes = pack_bytes(packer, blob->bytes, blob->size, 1);
}

static void pack_documents(struct packer *packer, struct append *append)
{
    const struct journal_batch *batch = &append->batch;
    size_t count = batch->document_count;
    struct document *documents = pack_bytes(packer, batch->documents, count * sizeof *documents, _Alignof(struct document));
    struct queued_document *queued = pack_bytes(packer, NULL, 0, _Alignof(struct queued_document));
    packer->used += count * sizeof *queued;
    for (size_t i = 0; i < count; i++) {
        struct document document = batch->documents[i];
        pack_text(packer, &document.collection);
        pack_text(packer, &document.id);
        pack_text(packer, &document.key);
        if (document.body) document.body = pack_bytes(packer, document.body, document.size, 1);
        if (!documents) continue;
        documents[i] = document;
        queued[i].document = &documents[i];
    }
    append->batch.documents = documents;
    append->queued = queued;
}

static void pack(struct packer *packer, struct append *append, const struct journal_batch *batch)
{
    append->batch = *batch;
    append->durable = batch->durable;
    pack_events(packer, append);
    pack_steps(packer, append);
    pack_documents(packer, append);
    if (batch->run) {
        append->run = *batch->run;
        pack_run(packer, &append->run);
    }
    if (batch->shim) append->shim = *batch->shim;
    if (batch->blob) pack_blob(packer, append, batch->blob);
}

struct append *append_new(const struct journal_batch *batch, void (*committed)(void *context), void *context)
{
    struct append measured = {0};
    struct packer packer = {.used = sizeof measured};
    pack(&packer, &measured, batch);
    struct append *append = mem_alloc(packer.used);
    packer = (struct packer){.base = (char *)append, .used = sizeof *append};
    pack(&packer, append, batch);
    append->size_bytes = packer.used;
    append->batch.run = batch->run ? &append->run : NULL;
    append->batch.shim = batch->shim ? &append->shim : NULL;
    append->batch.blob = batch->blob ? &append->blob : NULL;
    append->committed = committed;
    append->context = context;
    return append;
}

void append_list_add(struct append_list *list, struct append *append)
{
    if (list->last)
        list->last->next = append;
    else
        list->first = append;
    list->last = append;
    list->count++;
}

void append_list_join(struct append_list *list, struct append_list *more)
{
    if (!more->first) return;
    if (list->last)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    list->count += more->count;
    *more = (struct append_list){0};
}

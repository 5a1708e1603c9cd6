/* mem.h: memory that is there or ends the program, and cleanup at the end of a scope.
   Allocation never returns NULL: a process of ours that is out of memory says so and aborts (the journal is the
   recovery), which keeps every other error path about something that a person can act on. */
#ifndef CRESCENDO_BASE_MEM_H
#define CRESCENDO_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t size);                                             /* zeroed */
void *mem_alloc_array(size_t count, size_t size);                         /* zeroed; an overflow aborts */
void *mem_grow(void *block, size_t *capacity, size_t count, size_t size); /* room for count items; doubles */
char *mem_copy_text(const char *text);                                    /* NULL gives NULL */
char *mem_copy_bytes(const char *bytes, size_t size);                     /* with a NUL behind */
char *mem_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* AUTO(free_text) char *name = ...; runs the cleanup at the end of the scope. take(&name) moves ownership out. */
#define AUTO(function) __attribute__((cleanup(function)))
void free_text(char **text);
void close_fd(int *fd); /* closes when >= 0 */
#define take(pointer) \
    ({ \
        __typeof__(*(pointer)) taken_ = *(pointer); \
        *(pointer) = NULL; \
        taken_; \
    })
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif

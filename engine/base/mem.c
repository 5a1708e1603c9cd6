/* mem.c: memory that is there or ends the program. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "crescendo: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    abort();
}

void *mem_alloc(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    if (!block) out_of_memory();
    return block;
}

void *mem_alloc_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) out_of_memory();
    return mem_alloc(count * size);
}

void *mem_grow(void *block, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity) return block;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted < count) wanted = count;
    if (wanted > SIZE_MAX / size) out_of_memory();
    void *grown = realloc(block, wanted * size);
    if (!grown) out_of_memory();
    *capacity = wanted;
    return grown;
}

char *mem_copy_bytes(const char *bytes, size_t size)
{
    char *copy = mem_alloc(size + 1);
    if (size) memcpy(copy, bytes, size);
    return copy;
}

char *mem_copy_text(const char *text)
{
    return text ? mem_copy_bytes(text, strlen(text)) : NULL;
}

char *mem_format_list(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) out_of_memory();
    return text;
}

char *mem_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = mem_format_list(format, arguments);
    va_end(arguments);
    return text;
}

void free_text(char **text)
{
    free(*text);
}

void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
}

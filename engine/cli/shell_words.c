/* shell_words.c: words for a command that a person copies into a shell. */
#include "cli/shell_words.h"

#include <string.h>

static bool is_safe(char c)
{
    /* Letters beyond ASCII are as safe as those in it. */
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 ||
           (c && strchr("_@%+=:,./-", c));
}

static bool needs_quotes(const char *word)
{
    if (!*word) return true;
    while (*word && is_safe(*word))
        word++;
    return *word;
}

void shell_add_word(struct text *out, const char *word)
{
    if (!needs_quotes(word)) return text_add(out, word);
    text_add_char(out, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            text_add(out, "'\\''");
        else
            text_add_char(out, *word);
    }
    text_add_char(out, '\'');
}

char *shell_word(const char *word)
{
    struct text out = {0};
    shell_add_word(&out, word);
    return text_take(&out);
}

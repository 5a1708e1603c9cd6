/* names.c: states in any peer's spelling. */
#include "net/tmf/dialect.h"

#include <ctype.h>
#include <stddef.h>

/* Letters only, whatever their case: inProgress, INPROGRESS and IN_PROGRESS are one word. */
static bool is_same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && !isalpha((unsigned char)*a))
            a++;
        while (*b && !isalpha((unsigned char)*b))
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
    }
}

static int find_word(const char *const *words, int count, const char *text)
{
    for (int i = 1; text && i < count; i++)
        if (words[i] && is_same_word(words[i], text)) return i;
    return 0;
}

enum tmf_order_state tmf_order_state_read(const char *text)
{
    const struct tmf_dialect *standard = tmf_dialect_at(0);
    return (enum tmf_order_state)find_word(standard->order_states, TMF_ORDER_STATE_COUNT, text);
}

enum tmf_service_state tmf_service_state_read(const char *text)
{
    const struct tmf_dialect *standard = tmf_dialect_at(0);
    return (enum tmf_service_state)find_word(standard->service_states, TMF_SERVICE_STATE_COUNT, text);
}

bool tmf_order_is_at_rest(enum tmf_order_state state)
{
    return state == TMF_ORDER_REJECTED || state == TMF_ORDER_CANCELLED || state == TMF_ORDER_COMPLETED || state == TMF_ORDER_FAILED ||
           state == TMF_ORDER_PARTIAL;
}

/* fuzz_mask.c: secrets and a text cut into pieces: what comes out does not depend on the cuts, and is what went in where no secret is.
   The input: u8 count of secrets, each u8 size and bytes; u8 size of the pieces; the text. */
#include "base/mem.h"
#include "base/text.h"
#include "exec/shim/mask.h"

#include <stdlib.h>
#include <string.h>

struct input {
    const unsigned char *at;
    size_t left;
};

static unsigned take_byte(struct input *input)
{
    if (!input->left) return 0;
    input->left--;
    return *input->at++;
}

static void add_secrets(struct mask *mask, struct input *input)
{
    for (unsigned count = take_byte(input) % 8; count; count--) {
        size_t size = take_byte(input);
        if (size > input->left) size = input->left;
        mask_add(mask, (const char *)input->at, size);
        input->at += size;
        input->left -= size;
    }
}

static void mask_in_pieces(struct mask *mask, const struct input *input, size_t piece, struct text *out)
{
    struct carry carry = {0};
    text_add(out, "");
    for (size_t at = 0; at < input->left; at += piece) {
        size_t size = input->left - at < piece ? input->left - at : piece;
        memcpy(mask_room(mask, &carry), input->at + at, size);
        struct masked masked = mask_take(mask, &carry, size);
        text_add_bytes(out, masked.bytes, masked.size);
    }
    struct masked rest = mask_end(mask, &carry);
    text_add_bytes(out, rest.bytes, rest.size);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct mask *mask = mask_new();
    AUTO(text_release) struct text once = {0};
    AUTO(text_release) struct text pieces = {0};
    add_secrets(mask, &input);
    size_t piece = take_byte(&input) + 1;
    if (!mask_is_empty(mask)) {
        mask_in_pieces(mask, &input, MASK_PIECE_BYTES, &once);
        mask_in_pieces(mask, &input, piece, &pieces);
        if (once.size != pieces.size || memcmp(once.bytes, pieces.bytes, once.size) != 0) abort();
        bool found = mask_finds(mask, (const char *)input.at, input.left);
        bool same = once.size == input.left && (!once.size || memcmp(once.bytes, input.at, once.size) == 0);
        if (found ? !memmem(once.bytes, once.size, "***", 3) : !same) abort();
    }
    mask_free(&mask);
    return 0;
}

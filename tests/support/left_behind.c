/* Agrees with known keys, then looks on the stack for what the call has left of them and of the secrets: prints how many
 * of their words are there. */
#include "lanes.c"

#include <stdio.h>

#define MANY TURN
#define WORDS (MANY * (4 + 4 + 4 + 4))
#define BELOW (256 * 1024) /* bytes; the call takes less */

static uint8_t peers[MANY * POINT_SIZE], keys[MANY * SCALAR_SIZE], results[MANY * RESULT_SIZE], valid[MANY];
static uint64_t secret[WORDS];

static size_t words_of(size_t at, number value, const uint8_t as_bytes[SCALAR_SIZE]) {
    for (int i = 0; i < 4; i++) secret[at++] = value.word[i];
    memcpy(&secret[at], as_bytes, SCALAR_SIZE);
    return at + 4;
}

static __attribute__((noinline)) int left_on_the_stack(void) {
    const volatile uint64_t *end = (uint64_t *)__builtin_frame_address(0) - 32; /* below what main has in registers */
    int left = 0;
    for (const volatile uint64_t *at = end - BELOW / sizeof *at; at < end; at++) {
        uint64_t word = *at;
        for (size_t i = 0; i < WORDS; i++) left += word == secret[i];
    }
    return left;
}

int main(void) {
    if (!tidings_lanes_able() || getentropy(keys, 256) != 0) return 1;
    for (int i = 0; i < MANY; i++) {
        uint8_t *key = keys + SCALAR_SIZE * i, *peer = peers + POINT_SIZE * i;
        for (int byte = 0; byte < SCALAR_SIZE && i >= 8; byte++) key[byte] = (uint8_t)(key[byte - 256] + 1);
        key[0] &= 0x7f; /* below n */
        peer[0] = 4, write_number(peer + 1, &BASE_X), write_number(peer + 1 + SCALAR_SIZE, &BASE_Y);
    }
    if (tidings_lanes_agree(MANY, peers, keys, results, valid) != DONE) return 1;
    size_t at = 0;
    for (int i = 0; i < MANY; i++) {
        const uint8_t *key = keys + SCALAR_SIZE * i, *shared = results + RESULT_SIZE * i + POINT_SIZE;
        at = words_of(at, number_from(key), key);
        at = words_of(at, number_from(shared), shared);
    }
    /* Once more, as reading them has left some too. */
    if (tidings_lanes_agree(MANY, peers, keys, results, valid) != DONE) return 1;
    printf("%d", left_on_the_stack());
    return 0;
}

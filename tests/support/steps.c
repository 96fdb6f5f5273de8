/* Agrees with the same peers by very different keys, one instruction at a time, and prints how many instructions that
 * took and how many different ways through the code there were. */
#define _GNU_SOURCE
#include "lanes.c"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define KINDS 2
#define AT_THE_SIGNAL (64 * 1024)

static uint8_t peers[LANES * POINT_SIZE], keys[LANES * SCALAR_SIZE], results[LANES * RESULT_SIZE], valid[LANES];
static volatile uint64_t steps, way;

/* The processor comes here after each instruction while its trap flag is set. */
static void stepped(int number, siginfo_t *about, void *context) {
    (void)number, (void)about;
    way = (way ^ (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]) * UINT64_C(0x100000001b3);
    steps++;
}

#define TRAP(how, flag)                                                                                        \
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; " how " $" flag ", (%%rsp); popfq; lea 128(%%rsp), %%rsp" \
                     ::: "cc", "memory")

static __attribute__((noinline)) int step_through(void) {
    int (*volatile agree_by)(int, const uint8_t *, const uint8_t *, uint8_t *, uint8_t *) = tidings_lanes_agree;
    steps = 0, way = 0;
    TRAP("orq", "0x100");
    int status = agree_by(LANES, peers, keys, results, valid);
    TRAP("andq", "-0x101");
    return status;
}

/* First 1, then whatever comes. */
static number key_of(int kind) {
    number key = {{1, 0, 0, 0}};
    if (kind > 0 && getentropy(&key, sizeof key) == 0) key.word[3] >>= 1; /* below n */
    return key;
}

int main(void) {
    stack_t aside = {.ss_sp = malloc(AT_THE_SIGNAL), .ss_size = AT_THE_SIGNAL};
    struct sigaction action = {.sa_sigaction = stepped, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    uint64_t ways[KINDS];
    int different = 0;
    if (sigaltstack(&aside, NULL) != 0 || sigaction(SIGTRAP, &action, NULL) != 0 || !tidings_lanes_able()) return 1;
    tidings_lanes_agree(LANES, peers, NULL, results, valid); /* the loader looks for getentropy at its first call */
    for (int kind = 0; kind < KINDS; kind++) {
        for (int lane = 0; lane < LANES; lane++) {
            uint8_t *peer = peers + POINT_SIZE * lane;
            number key = key_of(kind);
            peer[0] = 4, write_number(peer + 1, &BASE_X), write_number(peer + 1 + SCALAR_SIZE, &BASE_Y);
            write_number(keys + SCALAR_SIZE * lane, &key);
        }
        if (step_through() != DONE) return 1;
        ways[kind] = way;
        int seen = 0;
        for (int earlier = 0; earlier < kind; earlier++) seen |= ways[earlier] == way;
        different += !seen;
    }
    printf("%lu %d", steps, different);
    return 0;
}

/* P-256 key pairs and agreements, eight side by side (AVX-512 IFMA): what `lanes.py` calls. */
#include "curve.h"

#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define GROUPS 8
#define TURN (GROUPS * LANES)
#define SCALAR_SIZE 32
#define POINT_SIZE 65
#define RESULT_SIZE (POINT_SIZE + SCALAR_SIZE)
#define STACK (96 * 1024) /* more than a call takes, optimised: 75 KiB by gcc 12, 54 by clang 14 */

enum { DONE = 0, NO_RANDOMNESS = 1, NOT_A_KEY = 2, IMPOSSIBLE = 3 };

static place base_multiples[DIGITS];
static element one;

static int able; /* whether the processor is */

/* What a turn works with. */
typedef struct {
    scalars keys[GROUPS];
    place peers[GROUPS];
    point points[2 * GROUPS];
    place places[2 * GROUPS];
    element scratch[2 * GROUPS];
} desk;

/* Wipe what a call has left on the stack below its caller: the desk, and the copies of keys, digits and points that only
 * the compiler knows of. By an instruction, as a call of memset may have registers saved below what it wipes (by the
 * loader, the first time) and may be left out as useless. */
static __attribute__((noinline)) void wipe_stack(void) {
    uint8_t left_behind[STACK], *at = left_behind;
    size_t size = sizeof left_behind;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(0) : "memory");
}

static int in_group(int many, int group) {
    int rest = many - group * LANES;
    return rest < LANES ? rest : LANES;
}

static number number_from(const uint8_t bytes[SCALAR_SIZE]) {
    number result;
    for (int i = 0; i < 4; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * (3 - i), 8);
        result.word[i] = __builtin_bswap64(word);
    }
    return result;
}

static void write_number(uint8_t bytes[SCALAR_SIZE], const number *value) {
    for (int i = 0; i < 4; i++) {
        uint64_t word = __builtin_bswap64(value->word[i]);
        memcpy(bytes + 8 * (3 - i), &word, 8);
    }
}

/* a - b into `result`; gives 1 if a is less, 0 if not, in the same time. */
static uint64_t subtract(number *result, const number *a, const number *b) {
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        __uint128_t rest = (__uint128_t)a->word[i] - b->word[i] - borrow;
        result->word[i] = (uint64_t)rest;
        borrow = (uint64_t)(rest >> 64) & 1;
    }
    return borrow;
}

static int is_below(const number *a, const number *limit) {
    number rest;
    return (int)subtract(&rest, a, limit);
}

static int is_key(const number *k) {
    return is_below(k, &ORDER) && !is_zero(k);
}

/* Take n - k for an even k, which n, being odd, makes odd: the same point mirrored, of which x is the same. */
static __mmask8 make_odd(scalars *keys) {
    __mmask8 mirrored = 0;
    for (int lane = 0; lane < LANES; lane++) {
        number other;
        subtract(&other, &ORDER, &keys->of[lane]);
        uint64_t even = (keys->of[lane].word[0] & 1) - 1; /* all ones or none */
        for (int i = 0; i < 4; i++) keys->of[lane].word[i] ^= (keys->of[lane].word[i] ^ other.word[i]) & even;
        mirrored |= (__mmask8)((even & 1) << lane);
    }
    return mirrored;
}

_Static_assert(sizeof(scalars) <= 256, "getentropy gives at most 256 bytes");

/* Draw keys until each is one: of 2^32 draws, one is not. */
static int draw(scalars *keys) {
    if (getentropy(keys, sizeof *keys) != 0) return NO_RANDOMNESS;
    for (int lane = 0; lane < LANES; lane++) {
        while (!is_key(&keys->of[lane])) {
            if (getentropy(&keys->of[lane], sizeof(number)) != 0) return NO_RANDOMNESS;
        }
    }
    return DONE;
}

static int take_keys(desk *on, int many, const uint8_t *keys) {
    for (int group = 0; group * LANES < many; group++) {
        int status = draw(&on->keys[group]);
        if (status != DONE) return status;
        for (int lane = 0; keys != NULL && lane < in_group(many, group); lane++) {
            number *key = &on->keys[group].of[lane];
            *key = number_from(keys + SCALAR_SIZE * (group * LANES + lane));
            if (!is_key(key)) return NOT_A_KEY;
        }
    }
    return DONE;
}

/* Read a group's points. Where there is none of the curve, the base point stands instead, and `valid` says so. */
static WIDE void read_peers(place *at, const uint8_t *peers, uint8_t *valid, int many) {
    number x[LANES], y[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        x[lane] = BASE_X, y[lane] = BASE_Y;
        if (lane >= many) continue;
        const uint8_t *bytes = peers + POINT_SIZE * lane;
        number its_x = number_from(bytes + 1), its_y = number_from(bytes + 1 + SCALAR_SIZE);
        valid[lane] = bytes[0] == 4 && is_below(&its_x, &PRIME) && is_below(&its_y, &PRIME);
        if (valid[lane]) x[lane] = its_x, y[lane] = its_y;
    }
    at->x = entered(x), at->y = entered(y);
    __mmask8 on = on_curve(at);
    at->x = chosen(on, at->x, entered_everywhere(BASE_X));
    at->y = chosen(on, at->y, entered_everywhere(BASE_Y));
    for (int lane = 0; lane < many; lane++) valid[lane] &= on >> lane & 1;
}

static WIDE void write_results(uint8_t *results, const place *own, const place *shared, int many) {
    number x[LANES], y[LANES], secret[LANES];
    left(own->x, x), left(own->y, y), left(shared->x, secret);
    for (int lane = 0; lane < many; lane++) {
        uint8_t *result = results + RESULT_SIZE * lane;
        result[0] = 4;
        write_number(result + 1, &x[lane]);
        write_number(result + 1 + SCALAR_SIZE, &y[lane]);
        write_number(result + POINT_SIZE, &secret[lane]);
    }
}

/* Agree with at most TURN peers, with keys that are on the desk. */
static WIDE int agree(desk *on, int many, const uint8_t *peers, uint8_t *results, uint8_t *valid) {
    int groups = (many + LANES - 1) / LANES;
    const point *points[2 * GROUPS];
    place *places[2 * GROUPS];
    for (int group = 0; group < groups; group++) {
        int first = group * LANES;
        point *own = &on->points[2 * group], *shared = own + 1;
        read_peers(&on->peers[group], peers + POINT_SIZE * first, valid + first, in_group(many, group));
        __mmask8 mirrored = make_odd(&on->keys[group]);
        multiply_base(own, base_multiples, one, &on->keys[group]);
        own->y = negated_where(mirrored, own->y);
        multiply(shared, &on->peers[group], one, &on->keys[group]);
    }
    for (int i = 0; i < 2 * groups; i++) points[i] = &on->points[i], places[i] = &on->places[i];
    if (!place_points(points, places, on->scratch, 2 * groups)) return IMPOSSIBLE;
    for (int group = 0; group < groups; group++) {
        uint8_t *to = results + (size_t)RESULT_SIZE * LANES * (size_t)group;
        write_results(to, places[2 * group], places[2 * group + 1], in_group(many, group));
    }
    return DONE;
}

/* Work out the multiples of the base point. */
static WIDE void prepare(void) {
    static point multiples[DIGITS];
    static element scratch[DIGITS];
    const point *points[DIGITS];
    place *places[DIGITS];
    const number single = {{1, 0, 0, 0}};
    one = entered_everywhere(single);
    point base = {entered_everywhere(BASE_X), entered_everywhere(BASE_Y), one};
    for (int i = 0; i < DIGITS; i++) {
        point sum = base, twice = base;
        double_point(&twice);
        multiples[i] = base;
        for (int lane = 1; lane < LANES; lane++) {
            __mmask8 here = (__mmask8)(1U << lane);
            add_point(&sum, &twice);
            multiples[i].x = chosen(here, sum.x, multiples[i].x);
            multiples[i].y = chosen(here, sum.y, multiples[i].y);
            multiples[i].z = chosen(here, sum.z, multiples[i].z);
        }
        for (int often = 0; often < 4; often++) double_point(&base);
        points[i] = &multiples[i], places[i] = &base_multiples[i];
    }
    place_points(points, places, scratch, DIGITS);
}

/* The loader does this once, before anybody can call: threads that load it at the same time find it done. */
static __attribute__((constructor)) void get_ready(void) {
    __builtin_cpu_init();
    able = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
    if (able) prepare();
}

static __attribute__((noinline)) WIDE int agree_in_turns(int many, const uint8_t *peers, const uint8_t *keys,
                                                         uint8_t *results, uint8_t *valid) {
    desk on;
    int status = DONE;
    for (int first = 0; first < many && status == DONE; first += TURN) {
        int now = many - first < TURN ? many - first : TURN;
        status = take_keys(&on, now, keys == NULL ? NULL : keys + (size_t)SCALAR_SIZE * (size_t)first);
        if (status == DONE) {
            size_t from = (size_t)first;
            status = agree(&on, now, peers + POINT_SIZE * from, results + RESULT_SIZE * from, valid + from);
        }
    }
    return status;
}

/* Whether the processor can do this; where not, nothing else may be called. */
EXPORT int tidings_lanes_able(void) { return able; }

/* Agree with `many` peers (65 bytes each): 97 bytes each into `results`, our point and the shared x; 1 or 0 into
 * `valid`. `keys` are 32 bytes each, for those who check known answers; NULL draws new ones. */
EXPORT int tidings_lanes_agree(int many, const uint8_t *peers, const uint8_t *keys, uint8_t *results, uint8_t *valid) {
    int status = agree_in_turns(many, peers, keys, results, valid);
    wipe_stack();
    return status;
}

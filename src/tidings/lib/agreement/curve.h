/* Points of P-256, y^2 = x^3 - 3x + b, eight at a time, with denominators: (x, y, z) is x/z^2, y/z^3 (Jacobian).
 *
 * A scalar k is odd and split into 64 digits to the base 16, all odd, from -15 to 15: k = sum of digit[i] 16^i.
 * Odd digits are never 0, so that each takes one addition, the same for all. What is added must not be the sum itself
 * nor its negative, for which the formula does not hold. The sum s is 16 times something odd and the digit d from -15 to
 * 15, so s - d and s + d are above 0, and to be the same point or its negative one of them has to be n. s + d is what is
 * read of k up to there: k at the most, and less than n. s - d reaches n only at the last digit, where s is k - d, with
 * k = n + 2 d and so d below 0; but the last digit of such a k is d for -1 alone. That leaves k = n - 2, which gives
 * z = 0, which is seen; it is as likely as to guess a key. For the base point each sum and digit is times 16^i, which
 * changes nothing of this.
 */
#ifndef TIDINGS_CURVE_H
#define TIDINGS_CURVE_H

#include "field.h"

#define DIGITS 64
#define MULTIPLES 8 /* 1, 3, ... 15 */

typedef struct { element x, y, z; } point;
typedef struct { element x, y; } place; /* z is 1 */
typedef struct { number of[LANES]; } scalars;
typedef struct { lanes multiple; __mmask8 negative; } digit; /* of 2 multiple + 1 */

static const number ORDER = {{UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84), UINT64_C(0xffffffffffffffff),
                              UINT64_C(0xffffffff00000000)}};
static const number B = {{UINT64_C(0x3bce3c3e27d2604b), UINT64_C(0x651d06b0cc53b0f6), UINT64_C(0xb3ebbd55769886bc),
                          UINT64_C(0x5ac635d8aa3a93e7)}};
static const number BASE_X = {{UINT64_C(0xf4a13945d898c296), UINT64_C(0x77037d812deb33a0), UINT64_C(0xf8bce6e563a440f2),
                               UINT64_C(0x6b17d1f2e12c4247)}};
static const number BASE_Y = {{UINT64_C(0xcbb6406837bf51f5), UINT64_C(0x2bce33576b315ece), UINT64_C(0x8ee7eb4a7c0f9e16),
                               UINT64_C(0x4fe342e2fe1a7f9b)}};

static __attribute__((noinline)) WIDE void double_point(point *a) {
    element zz = squared(a->z), yy = squared(a->y), xyy = times(a->x, yy), slope;
    loose x = opened(a->x), sum = plus(x, opened(zz));
    slope = times(settled(minus(x, opened(zz))), settled(plus(sum, doubled(sum, 1)))); /* 3 (x - zz) (x + zz) */
    a->z = settled(doubled(product(a->y, a->z), 1));
    a->x = settled(minus(square(slope), doubled(opened(xyy), 3)));
    element rest = settled(minus(doubled(opened(xyy), 2), opened(a->x)));
    a->y = settled(minus(product(slope, rest), doubled(square(yy), 3)));
}

/* Add, with both in the same form but for z of b, which is 1 where `z` is not given. */
INLINE void add(point *a, const place *b, const element *z) {
    element zz = squared(a->z), x = a->x, y = a->y, across, up;
    if (z != NULL) {
        element zz_of_b = squared(*z);
        x = times(x, zz_of_b);
        y = times(y, times(zz_of_b, *z));
    }
    across = settled(minus(product(b->x, zz), opened(x)));
    up = settled(minus(product(b->y, times(zz, a->z)), opened(y)));
    element square_of = squared(across), cube = times(square_of, across), middle = times(x, square_of);
    a->z = times(z == NULL ? a->z : times(a->z, *z), across);
    a->x = settled(minus(minus(square(up), opened(cube)), doubled(opened(middle), 1)));
    element rest = settled(minus(opened(middle), opened(a->x)));
    a->y = settled(minus(product(up, rest), product(y, cube)));
}

static __attribute__((noinline)) WIDE void add_point(point *a, const point *b) {
    place at = {b->x, b->y};
    add(a, &at, &b->z);
}

static __attribute__((noinline)) WIDE void add_place(point *a, const place *b) { add(a, b, NULL); }

INLINE element negated_where(__mmask8 which, element a) {
    loose zero;
    for (int i = 0; i < LIMBS; i++) zero.limb[i] = _mm512_setzero_si512();
    return chosen(which, settled(minus(zero, opened(a))), a);
}

/* Digit i is 2 u - 15 with u = the four bits from 4 i + 1; the last has three bits and is 2 u + 1. */
INLINE digit digit_of(const scalars *k, int i) {
    uint64_t bits[LANES] __attribute__((aligned(64)));
    int from = 4 * i + 1, word = from / 64, shift = from % 64;
    for (int lane = 0; lane < LANES; lane++) {
        const uint64_t *w = k->of[lane].word;
        uint64_t more = shift > 60 && word < 3 ? w[word + 1] << (64 - shift) : 0;
        bits[lane] = (w[word] >> shift | more) & 15;
    }
    lanes u = _mm512_load_si512(bits), seven = everywhere(7);
    if (i == DIGITS - 1) return (digit){u, 0};
    __mmask8 negative = _mm512_cmple_epu64_mask(u, seven);
    return (digit){_mm512_and_si512(_mm512_mask_xor_epi64(u, negative, u, seven), seven), negative};
}

/* Take each lane's own multiple: all are read, so that nothing tells which was wanted. */
INLINE point found(const point multiples[MULTIPLES], digit d) {
    point result = multiples[0];
    for (uint64_t i = 1; i < MULTIPLES; i++) {
        __mmask8 here = _mm512_cmpeq_epi64_mask(d.multiple, everywhere(i));
        result.x = chosen(here, multiples[i].x, result.x);
        result.y = chosen(here, multiples[i].y, result.y);
        result.z = chosen(here, multiples[i].z, result.z);
    }
    result.y = negated_where(d.negative, result.y);
    return result;
}

/* k times a point, which lane has its own of. */
static WIDE void multiply(point *result, const place *at, element one, const scalars *k) {
    point multiples[MULTIPLES], twice = {at->x, at->y, one};
    multiples[0] = twice;
    double_point(&twice);
    for (int i = 1; i < MULTIPLES; i++) {
        multiples[i] = multiples[i - 1];
        add_point(&multiples[i], &twice);
    }
    *result = found(multiples, digit_of(k, DIGITS - 1));
    for (int i = DIGITS - 2; i >= 0; i--) {
        for (int often = 0; often < 4; often++) double_point(result);
        point next = found(multiples, digit_of(k, i));
        add_point(result, &next);
    }
}

/* k times the base point. Lane j of multiples[i] is (2 j + 1) 16^i times it, so that one permutation finds them all. */
static WIDE void multiply_base(point *result, const place multiples[DIGITS], element one, const scalars *k) {
    for (int i = DIGITS - 1; i >= 0; i--) {
        digit d = digit_of(k, i);
        place next;
        for (int limb = 0; limb < LIMBS; limb++) {
            next.x.limb[limb] = _mm512_permutexvar_epi64(d.multiple, multiples[i].x.limb[limb]);
            next.y.limb[limb] = _mm512_permutexvar_epi64(d.multiple, multiples[i].y.limb[limb]);
        }
        next.y = negated_where(d.negative, next.y);
        if (i == DIGITS - 1) {
            *result = (point){next.x, next.y, one};
        } else {
            add_place(result, &next);
        }
    }
}

/* Divide `many` points by their denominators with one inversion: 0 if one of those is 0, and then nothing is right. */
static WIDE int place_points(const point *points[], place *places[], element scratch[], int many) {
    number last[LANES];
    scratch[0] = points[0]->z;
    for (int i = 1; i < many; i++) scratch[i] = times(scratch[i - 1], points[i]->z);
    left(scratch[many - 1], last);
    for (int lane = 0; lane < LANES; lane++) {
        if (is_zero(&last[lane])) return 0;
    }
    element rest = inverse(scratch[many - 1]);
    for (int i = many - 1; i >= 0; i--) {
        element own = i == 0 ? rest : times(rest, scratch[i - 1]), own_squared = squared(own);
        rest = times(rest, points[i]->z);
        places[i]->x = times(points[i]->x, own_squared);
        places[i]->y = times(points[i]->y, times(own_squared, own));
    }
    return 1;
}

/* Which lanes hold a point of the curve. */
static WIDE __mmask8 on_curve(const place *at) {
    number off[LANES];
    __mmask8 result = 0;
    loose x = opened(at->x), right = plus(product(squared(at->x), at->x), opened(entered_everywhere(B)));
    right = minus(right, plus(x, doubled(x, 1)));
    left(settled(minus(square(at->y), right)), off);
    for (int lane = 0; lane < LANES; lane++) {
        if (is_zero(&off[lane])) result |= (__mmask8)(1U << lane);
    }
    return result;
}

#endif

/* Numbers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, the field of P-256, eight at a time.
 *
 * A number has five limbs of 52 bits, which is what AVX-512 IFMA multiplies; an `element` holds one number in each of
 * its eight lanes. Numbers are kept times R = 2^260 (Montgomery's form), each between 0 and 2.01 p. Nothing here
 * branches on a number or looks into memory by one, so that the time says nothing of a secret.
 */
#ifndef TIDINGS_FIELD_H
#define TIDINGS_FIELD_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 8
#define LIMBS 5
#define LIMB_BITS 52
#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)

#define WIDE __attribute__((target("avx512f,avx512ifma")))
#define INLINE static inline __attribute__((always_inline)) WIDE

typedef __m512i lanes;

/* Limbs are below 2^52, but for the last, which holds what is above 2^208. */
typedef struct { lanes limb[LIMBS]; } element;

/* Limbs that are not carried yet: signed, below 2^60. What is added and subtracted is carried once, at the end. */
typedef struct { lanes limb[LIMBS]; } loose;

/* A number as four words, the least first. */
typedef struct { uint64_t word[4]; } number;

static const number PRIME = {
    {UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), UINT64_C(0), UINT64_C(0xffffffff00000001)}};
static const number R_SQUARED = {
    {UINT64_C(0x300), UINT64_C(0xfffffbffffffff00), UINT64_C(0xfffffffffffffeff), UINT64_C(0x4fffffffdff)}};

static inline int is_zero(const number *a) { return (a->word[0] | a->word[1] | a->word[2] | a->word[3]) == 0; }

INLINE lanes everywhere(uint64_t value) { return _mm512_set1_epi64((long long)value); }

INLINE element carried(loose a) {
    element result;
    for (int i = 0; i < LIMBS - 1; i++) {
        a.limb[i + 1] = _mm512_add_epi64(a.limb[i + 1], _mm512_srai_epi64(a.limb[i], LIMB_BITS));
        result.limb[i] = _mm512_and_si512(a.limb[i], everywhere(LIMB_MASK));
    }
    result.limb[LIMBS - 1] = a.limb[LIMBS - 1];
    return result;
}

/* Bring any sum of products between 0 and 2.01 p. With q + 1 = what is above 2^256, a - q p is between 2^256 and 2^257,
 * give or take what the lower limbs have not carried yet and q 2^224: less than a thousandth. So 0 comes out as p or
 * 2 p. */
INLINE element settled(loose a) {
    lanes q = _mm512_sub_epi64(_mm512_srai_epi64(a.limb[4], 48), everywhere(1));
    a.limb[0] = _mm512_add_epi64(a.limb[0], q);
    a.limb[1] = _mm512_sub_epi64(a.limb[1], _mm512_slli_epi64(q, 44)); /* 2^96 */
    a.limb[3] = _mm512_sub_epi64(a.limb[3], _mm512_slli_epi64(q, 36)); /* 2^192 */
    a.limb[4] = _mm512_add_epi64(a.limb[4], _mm512_slli_epi64(q, 16)); /* 2^224 */
    a.limb[4] = _mm512_sub_epi64(a.limb[4], _mm512_slli_epi64(q, 48)); /* 2^256 */
    return carried(a);
}

INLINE loose opened(element a) {
    loose result;
    for (int i = 0; i < LIMBS; i++) result.limb[i] = a.limb[i];
    return result;
}

INLINE loose plus(loose a, loose b) {
    for (int i = 0; i < LIMBS; i++) a.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
    return a;
}

INLINE loose minus(loose a, loose b) {
    for (int i = 0; i < LIMBS; i++) a.limb[i] = _mm512_sub_epi64(a.limb[i], b.limb[i]);
    return a;
}

/* Times 2^power, at most 8. */
INLINE loose doubled(loose a, unsigned power) {
    for (int i = 0; i < LIMBS; i++) a.limb[i] = _mm512_slli_epi64(a.limb[i], power);
    return a;
}

/* Divide by R (Montgomery): five times the lowest limb becomes 0 by adding limb * p, since p ends in -1 there. What is
 * left of that product is limb * (2^256 - 2^224 + 2^192 + 2^96). The result is below p + (what came in) / 16 p. */
INLINE loose reduced(lanes t[2 * LIMBS]) {
    lanes at96 = everywhere(UINT64_C(1) << 44), at192 = everywhere(UINT64_C(1) << 36);
    lanes at224 = everywhere((UINT64_C(1) << 48) - (UINT64_C(1) << 16));
    loose result;
    for (int i = 0; i < LIMBS; i++) {
        lanes limb = t[i]; /* multiplications see its lowest 52 bits; what is above is carried */
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(limb, LIMB_BITS));
        t[i + 1] = _mm512_madd52lo_epu64(t[i + 1], limb, at96);
        t[i + 2] = _mm512_madd52hi_epu64(t[i + 2], limb, at96);
        t[i + 3] = _mm512_madd52lo_epu64(t[i + 3], limb, at192);
        t[i + 4] = _mm512_madd52hi_epu64(t[i + 4], limb, at192);
        t[i + 4] = _mm512_madd52lo_epu64(t[i + 4], limb, at224);
        t[i + 5] = _mm512_madd52hi_epu64(t[i + 5], limb, at224);
    }
    for (int i = 0; i < LIMBS; i++) result.limb[i] = t[LIMBS + i];
    return result;
}

/* The product, below 1.26 p: 2.01 p times itself divided by R, which is 16 p, and p. */
INLINE loose product(element a, element b) {
    lanes t[2 * LIMBS];
    for (int i = 0; i < 2 * LIMBS; i++) t[i] = _mm512_setzero_si512();
    for (int i = 0; i < LIMBS; i++) {
        for (int j = 0; j < LIMBS; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a.limb[i], b.limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a.limb[i], b.limb[j]);
        }
    }
    return reduced(t);
}

INLINE loose square(element a) {
    lanes t[2 * LIMBS];
    for (int i = 0; i < 2 * LIMBS; i++) t[i] = _mm512_setzero_si512();
    for (int i = 0; i < LIMBS; i++) {
        for (int j = i + 1; j < LIMBS; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a.limb[i], a.limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a.limb[i], a.limb[j]);
        }
    }
    for (int i = 1; i < 2 * LIMBS - 1; i++) t[i] = _mm512_add_epi64(t[i], t[i]);
    for (int i = 0; i < LIMBS; i++) {
        t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a.limb[i], a.limb[i]);
        t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a.limb[i], a.limb[i]);
    }
    return reduced(t);
}

INLINE element times(element a, element b) { return carried(product(a, b)); }
INLINE element squared(element a) { return carried(square(a)); }

static __attribute__((noinline)) WIDE void square_often(element *a, int often) {
    for (int i = 0; i < often; i++) *a = squared(*a);
}

/* a^(p - 2) = 1/a, and 0 of 0. The names say of how many bits, all ones, the exponent is. */
static WIDE element inverse(element a) {
    element ones2 = times(squared(a), a), ones3 = times(squared(ones2), a), ones6, ones12, ones15, ones30, ones32, r;
    ones6 = ones3, square_often(&ones6, 3), ones6 = times(ones6, ones3);
    ones12 = ones6, square_often(&ones12, 6), ones12 = times(ones12, ones6);
    ones15 = ones12, square_often(&ones15, 3), ones15 = times(ones15, ones3);
    ones30 = ones15, square_often(&ones30, 15), ones30 = times(ones30, ones15);
    ones32 = ones30, square_often(&ones32, 2), ones32 = times(ones32, ones2);
    r = ones32, square_often(&r, 32), r = times(r, a);
    square_often(&r, 128), r = times(r, ones32);
    square_often(&r, 32), r = times(r, ones32);
    square_often(&r, 30), r = times(r, ones30);
    square_often(&r, 2);
    return times(r, a);
}

INLINE element chosen(__mmask8 which, element yes, element no) {
    for (int i = 0; i < LIMBS; i++) no.limb[i] = _mm512_mask_mov_epi64(no.limb[i], which, yes.limb[i]);
    return no;
}

/* Read eight numbers below 2^256, as they are. */
static WIDE element packed(const number numbers[LANES]) {
    uint64_t limb[LIMBS][LANES] __attribute__((aligned(64)));
    element result;
    for (int lane = 0; lane < LANES; lane++) {
        const uint64_t *w = numbers[lane].word;
        limb[0][lane] = w[0] & LIMB_MASK;
        limb[1][lane] = (w[0] >> 52 | w[1] << 12) & LIMB_MASK;
        limb[2][lane] = (w[1] >> 40 | w[2] << 24) & LIMB_MASK;
        limb[3][lane] = (w[2] >> 28 | w[3] << 36) & LIMB_MASK;
        limb[4][lane] = w[3] >> 16;
    }
    for (int i = 0; i < LIMBS; i++) result.limb[i] = _mm512_load_si512(limb[i]);
    return result;
}

static WIDE element same(number value) {
    number numbers[LANES];
    for (int lane = 0; lane < LANES; lane++) numbers[lane] = value;
    return packed(numbers);
}

/* Read eight numbers into Montgomery's form. */
static WIDE element entered(const number numbers[LANES]) { return times(packed(numbers), same(R_SQUARED)); }

static WIDE element entered_everywhere(number value) { return times(same(value), same(R_SQUARED)); }

/* Give the eight numbers themselves, below p. */
static WIDE void left(element a, number numbers[LANES]) {
    const number one = {{1, 0, 0, 0}};
    uint64_t limb[LIMBS][LANES] __attribute__((aligned(64)));
    element whole = times(a, same(one)), less; /* at most p */
    less = carried(minus(opened(whole), opened(same(PRIME))));
    whole = chosen(_mm512_cmplt_epi64_mask(less.limb[4], _mm512_setzero_si512()), whole, less);
    for (int i = 0; i < LIMBS; i++) _mm512_store_si512(limb[i], whole.limb[i]);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t *w = numbers[lane].word;
        w[0] = limb[0][lane] | limb[1][lane] << 52;
        w[1] = limb[1][lane] >> 12 | limb[2][lane] << 40;
        w[2] = limb[2][lane] >> 24 | limb[3][lane] << 28;
        w[3] = limb[3][lane] >> 36 | limb[4][lane] << 16;
    }
}

#endif

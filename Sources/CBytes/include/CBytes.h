// Inline helpers for scanning bytes. SSE2 is the x86-64 baseline: no flag and no run-time check is needed.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// One bit per byte of the 64 at `p` that equals `c`.
static inline __attribute__((always_inline)) uint64_t cbytes_mask_equal(const uint8_t *p, uint8_t c) {
#if defined(__SSE2__)
    __m128i want = _mm_set1_epi8((char)c);
    uint64_t a = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p)), want));
    uint64_t b = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 16)), want));
    uint64_t d = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 32)), want));
    uint64_t e = (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + 48)), want));
    return a | b << 16 | d << 32 | e << 48;
#else
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++) mask |= (uint64_t)(p[i] == c) << i;
    return mask;
#endif
}

// Inline helpers for scanning bytes. SSE2 is the x86-64 baseline: no flag and no run-time check is needed.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Vectors by the compiler's own means. <emmintrin.h> would drag <stdlib.h> into a clang module of its own, whose
// 'fd_set' then differs from the one CPosix sees under _GNU_SOURCE, and the build fails.
typedef uint8_t cbytes_vector __attribute__((vector_size(16)));
typedef uint8_t cbytes_vector_unaligned __attribute__((vector_size(16), aligned(1), may_alias));

/// One bit for each of the 16 lanes, which are all ones or all zeros.
static inline __attribute__((always_inline)) uint64_t cbytes_movemask(cbytes_vector lanes) {
#if defined(__SSE2__)
    typedef char signed_lanes __attribute__((vector_size(16)));
    return (uint16_t)__builtin_ia32_pmovmskb128((signed_lanes)lanes);
#else
    // The product moves bit 7 of byte i to bit 56 + i; none of its other terms meet there.
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lane 0 is the low byte");
    uint64_t halves[2];
    __builtin_memcpy(halves, &lanes, sizeof halves);
    uint64_t low = ((halves[0] & 0x8080808080808080) * 0x0002040810204081) >> 56;
    uint64_t high = ((halves[1] & 0x8080808080808080) * 0x0002040810204081) >> 56;
    return low | high << 8;
#endif
}

/// What a head parser asks of 64 bytes: bit i speaks of byte i.
typedef struct {
    /// Control bytes other than HTAB: what ends a line, and what no head may hold.
    uint64_t controls;
    uint64_t colons;
} cbytes_head_masks;

/// The masks of the `size` (1 to 64) bytes at `p`; nothing past them is read, and bits past them are 0.
static inline __attribute__((always_inline)) cbytes_head_masks cbytes_scan_head(const uint8_t *p, size_t size) {
    uint8_t scratch[64];
    if (__builtin_expect(size < 64, 0)) {
        __builtin_memset(scratch, ' ', sizeof scratch);
        __builtin_memcpy(scratch, p, size);
        p = scratch;
    }
    cbytes_head_masks masks = {0, 0};
    for (int i = 0; i < 4; i++) {
        const cbytes_vector bytes = *(const cbytes_vector_unaligned *)(p + 16 * i);
        const cbytes_vector control =
            ((cbytes_vector)(bytes < 0x20) & ~(cbytes_vector)(bytes == '\t')) | (cbytes_vector)(bytes == 0x7f);
        masks.controls |= cbytes_movemask(control) << (16 * i);
        masks.colons |= cbytes_movemask((cbytes_vector)(bytes == ':')) << (16 * i);
    }
    return masks;
}

/// `cbytes_copy` for 32 to 512 bytes: the steps of 32, and a last one that may overlap the one before.
static __attribute__((noinline)) void cbytes_copy_long(uint8_t *to, const uint8_t *from, size_t size) {
    const cbytes_vector y = *(const cbytes_vector_unaligned *)(from + size - 32);
    const cbytes_vector z = *(const cbytes_vector_unaligned *)(from + size - 16);
    for (size_t i = 0; i < size - 32; i += 32) {
        const cbytes_vector a = *(const cbytes_vector_unaligned *)(from + i);
        const cbytes_vector b = *(const cbytes_vector_unaligned *)(from + i + 16);
        *(cbytes_vector_unaligned *)(to + i) = a;
        *(cbytes_vector_unaligned *)(to + i + 16) = b;
    }
    *(cbytes_vector_unaligned *)(to + size - 32) = y;
    *(cbytes_vector_unaligned *)(to + size - 16) = z;
}

/// Copies `size` bytes, which do not overlap. Most pieces of a head have few: two copies of one word each, which may overlap,
/// are a quarter of the instructions of a call of memcpy. A run of field lines or a small body of 128 bytes takes half.
static inline __attribute__((always_inline)) void cbytes_copy(uint8_t *to, const uint8_t *from, size_t size) {
    if (size > 512) {
        __builtin_memcpy(to, from, size);
    } else if (size >= 32) {
        cbytes_copy_long(to, from, size);
    } else if (size >= 16) {
        cbytes_vector first = *(const cbytes_vector_unaligned *)from;
        cbytes_vector last = *(const cbytes_vector_unaligned *)(from + size - 16);
        *(cbytes_vector_unaligned *)to = first;
        *(cbytes_vector_unaligned *)(to + size - 16) = last;
    } else if (size >= 8) {
        uint64_t first, last;
        __builtin_memcpy(&first, from, 8);
        __builtin_memcpy(&last, from + size - 8, 8);
        __builtin_memcpy(to, &first, 8);
        __builtin_memcpy(to + size - 8, &last, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        __builtin_memcpy(&first, from, 4);
        __builtin_memcpy(&last, from + size - 4, 4);
        __builtin_memcpy(to, &first, 4);
        __builtin_memcpy(to + size - 4, &last, 4);
    } else if (size > 0) {
        to[0] = from[0];
        to[size / 2] = from[size / 2];
        to[size - 1] = from[size - 1];
    }
}

/// Whether the `size` bytes at both places are the same; the two words of the last step may overlap the ones before.
static inline __attribute__((always_inline)) int cbytes_same(const uint8_t *a, const uint8_t *b, size_t size) {
    if (size < 8) {
        for (size_t i = 0; i < size; i++)
            if (a[i] != b[i]) return 0;
        return 1;
    }
    uint64_t x, y, difference = 0;
    for (size_t i = 0; i < size - 8; i += 8) {
        __builtin_memcpy(&x, a + i, 8);
        __builtin_memcpy(&y, b + i, 8);
        difference |= x ^ y;
    }
    __builtin_memcpy(&x, a + size - 8, 8);
    __builtin_memcpy(&y, b + size - 8, 8);
    return (difference | (x ^ y)) == 0;
}

/// Classes of bytes; a byte may belong to several.
enum {
    /// RFC 9110 §5.6.2: token.
    CBYTES_TOKEN = 1,
    /// What a request target may hold before its query: RFC 3986, and what browsers leave unescaped.
    CBYTES_PATH = 2,
    /// What its query may hold.
    CBYTES_QUERY = 4,
    /// A registered name or IPv4 address as the DNS knows them: letters, digits, "-", ".", "_", "~".
    CBYTES_HOST = 8,
};

#define CBYTES_URI (CBYTES_PATH | CBYTES_QUERY)
static const uint8_t cbytes_classes[256] = {
    ['0' ... '9'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['A' ... 'Z'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['a' ... 'z'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['-'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['.'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['_'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['~'] = CBYTES_TOKEN | CBYTES_URI | CBYTES_HOST,
    ['!'] = CBYTES_TOKEN | CBYTES_URI,
    ['$'] = CBYTES_TOKEN | CBYTES_URI,
    ['%'] = CBYTES_TOKEN | CBYTES_URI,
    ['&'] = CBYTES_TOKEN | CBYTES_URI,
    ['\''] = CBYTES_TOKEN | CBYTES_URI,
    ['*'] = CBYTES_TOKEN | CBYTES_URI,
    ['+'] = CBYTES_TOKEN | CBYTES_URI,
    // Not in RFC 3986, but browsers send "|" and "^" as they are, and '"', "`", "{" and "}" from scripts: each
    // names itself and delimits nothing, so no two readers of the target differ.
    ['^'] = CBYTES_TOKEN | CBYTES_URI,
    ['`'] = CBYTES_TOKEN | CBYTES_URI,
    ['|'] = CBYTES_TOKEN | CBYTES_URI,
    ['"'] = CBYTES_URI,
    ['{'] = CBYTES_URI,
    ['}'] = CBYTES_URI,
    ['('] = CBYTES_URI,
    [')'] = CBYTES_URI,
    [','] = CBYTES_URI,
    ['/'] = CBYTES_URI,
    [':'] = CBYTES_URI,
    [';'] = CBYTES_URI,
    ['='] = CBYTES_URI,
    ['@'] = CBYTES_URI,
    ['['] = CBYTES_URI,
    [']'] = CBYTES_URI,
    // Ends the path.
    ['?'] = CBYTES_QUERY,
    // In a path some servers read it as "/"; in a query it is a character like others, and browsers leave it.
    ['\\'] = CBYTES_QUERY,
    // A fragment is never sent: what one reader cuts off, another keeps.
    ['#'] = CBYTES_TOKEN,
};
#undef CBYTES_URI

/// How many of the first bytes at `p`, at most `size`, belong to `byte_class`.
static inline size_t cbytes_run(const uint8_t *p, size_t size, uint8_t byte_class) {
    size_t count = 0;
    while (count < size && (cbytes_classes[p[count]] & byte_class)) count++;
    return count;
}

/// As `cbytes_run` for CBYTES_PATH, 16 bytes at a time: of what is printed all but '#', '<', '>', '?' and '\\' belong to it.
static inline size_t cbytes_path_run(const uint8_t *p, size_t size) {
    size_t count = 0;
    for (; size - count >= 16; count += 16) {
        const cbytes_vector bytes = *(const cbytes_vector_unaligned *)(p + count);
        const cbytes_vector others = (cbytes_vector)(bytes - 0x21 > 0x7e - 0x21) | (cbytes_vector)(bytes == '#') |
                                     (cbytes_vector)((bytes & 0xfd) == '<') | (cbytes_vector)(bytes == '?') |
                                     (cbytes_vector)(bytes == '\\');
        const uint64_t mask = cbytes_movemask(others);
        if (mask) return count + (size_t)__builtin_ctzll(mask);
    }
    return count + cbytes_run(p + count, size - count, CBYTES_PATH);
}

/// Whether a path holds nothing that normalising would have to look at: no '%', and no '/' before '/' or '.'.
static inline int cbytes_path_is_plain(const uint8_t *p, size_t size) {
    uint8_t scratch[16] = {0};
    if (size < sizeof scratch) {
        cbytes_copy(scratch, p, size);
        p = scratch;
        size = sizeof scratch;
    }
    uint64_t slash_before = 0;
    for (size_t i = 0;; i += 16) {
        // The last step may overlap the one before, which then has seen the pair at the border.
        const int is_whole = size - i >= 16;
        const cbytes_vector bytes = *(const cbytes_vector_unaligned *)(p + (is_whole ? i : size - 16));
        const uint64_t slashes = cbytes_movemask((cbytes_vector)(bytes == '/'));
        const uint64_t dots = cbytes_movemask((cbytes_vector)(bytes == '.'));
        const uint64_t after_slash = slashes << 1 | (is_whole ? slash_before : 0);
        if (cbytes_movemask((cbytes_vector)(bytes == '%')) | (after_slash & (slashes | dots))) return 0;
        if (size - i <= 16) return 1;
        slash_before = slashes >> 15;
    }
}

/// As `cbytes_run` for CBYTES_HOST, 16 bytes at a time.
///
/// `readable`, at least `size`, is how many bytes may be read: a host is short, and the bytes behind it are a head's.
static inline size_t cbytes_host_run(const uint8_t *p, size_t size, size_t readable) {
    size_t count = 0;
    for (; count < size && readable - count >= 16; count += 16) {
        const cbytes_vector bytes = *(const cbytes_vector_unaligned *)(p + count);
        // '-' to '9' are the digits, '-', '.' and one that is not of a host: '/'.
        const cbytes_vector host = (cbytes_vector)((bytes | 0x20) - 'a' <= 'z' - 'a') |
                                   ((cbytes_vector)(bytes - '-' <= '9' - '-') & ~(cbytes_vector)(bytes == '/')) |
                                   (cbytes_vector)(bytes == '_') | (cbytes_vector)(bytes == '~');
        const uint64_t others = cbytes_movemask(host) ^ 0xffff;
        if (others) {
            const size_t end = count + (size_t)__builtin_ctzll(others);
            return end < size ? end : size;
        }
    }
    return count < size ? count + cbytes_run(p + count, size - count, CBYTES_HOST) : size;
}

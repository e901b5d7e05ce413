// Who allocates, in a process that this is preloaded into: calls and bytes by call stack, and what of it has not been freed, in a
// file that another process maps (the one that ALLOCATION_PROFILE_FILE names). Stacks come of the unwind tables, which libraries have
// too that keep no frame pointers.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum { DEPTH = 60, STACKS = 1 << 16, BLOCKS = 1 << 21, MAGIC = 0x50414c31 };

struct stack {
    uint64_t depth;  // Written last: 0 where there is none yet.
    uint64_t calls, bytes, freed_calls, freed_bytes;
    uint64_t frames[DEPTH];
};

struct profile {
    uint64_t magic, depth, stacks;
    uint64_t calls, bytes;
    /// Calls whose stack found no place, and blocks that found none: their bytes count as freed at once.
    uint64_t calls_lost, blocks_lost;
    uint64_t used, blocks_used;
    uint64_t reserved[7];
    struct stack table[STACKS];
};

/// A block that is held, and whose.
struct block {
    uintptr_t address;
    uint64_t size_and_stack;
};

static struct profile *profile;
static struct block *blocks;
static atomic_flag lock = ATOMIC_FLAG_INIT;
/// The unwinder may allocate.
static __thread int is_inside __attribute__((tls_model("initial-exec")));

static void take_lock(void) {
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) sched_yield();
}
static void give_lock(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

__attribute__((constructor)) static void share(void) {
    const char *path = getenv("ALLOCATION_PROFILE_FILE");
    if (!path || profile) return;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    if (ftruncate(fd, sizeof(struct profile)) == 0) {
        struct profile *mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        blocks = mmap(NULL, BLOCKS * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        // One process, the first: what it starts would count on over it.
        if (mapped != MAP_FAILED && blocks != MAP_FAILED && mapped->magic == 0) {
            mapped->magic = MAGIC;
            mapped->depth = DEPTH;
            mapped->stacks = STACKS;
            profile = mapped;
        }
    }
    close(fd);
}

struct walk {
    uint64_t frames[DEPTH];
    int depth, skipped;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument) {
    struct walk *walk = argument;
    uintptr_t address = _Unwind_GetIP(context);
    if (!address || walk->depth == DEPTH) return _URC_END_OF_STACK;
    // note_allocation and the function of the allocator's that called it.
    if (walk->skipped < 2) walk->skipped++;
    else walk->frames[walk->depth++] = address;
    return _URC_NO_REASON;
}

static uint64_t mix(uint64_t value) {
    value ^= value >> 31;
    value *= 0x9E3779B97F4A7C15u;
    return value ^ value >> 29;
}

/// The place of a stack in the table, or STACKS.
static uint32_t place_of(const struct walk *walk) {
    uint64_t hash = 0;
    for (int i = 0; i < walk->depth; i++) hash = mix(hash ^ walk->frames[i]);
    for (uint32_t tries = 0; tries < STACKS; tries++) {
        uint32_t place = (hash + tries) & (STACKS - 1);
        struct stack *stack = &profile->table[place];
        if (!stack->depth) {
            if (profile->used >= STACKS * 7 / 8) return STACKS;
            profile->used++;
            memcpy(stack->frames, walk->frames, walk->depth * sizeof walk->frames[0]);
            stack->depth = walk->depth;
            return place;
        }
        if (stack->depth == (uint64_t)walk->depth
            && !memcmp(stack->frames, walk->frames, walk->depth * sizeof walk->frames[0]))
            return place;
    }
    return STACKS;
}

static uint32_t home_of(uintptr_t address) { return mix(address >> 4) & (BLOCKS - 1); }

static int hold(uintptr_t address, size_t size, uint32_t stack) {
    if (profile->blocks_used >= BLOCKS * 3 / 4 || size >> 48) return 0;
    uint32_t at = home_of(address);
    while (blocks[at].address) at = (at + 1) & (BLOCKS - 1);
    blocks[at] = (struct block){address, (uint64_t)size << 16 | stack};
    profile->blocks_used++;
    return 1;
}

static void release(uintptr_t address) {
    uint32_t at = home_of(address);
    while (blocks[at].address != address) {
        if (!blocks[at].address) return;
        at = (at + 1) & (BLOCKS - 1);
    }
    struct stack *stack = &profile->table[blocks[at].size_and_stack & 0xFFFF];
    stack->freed_calls++;
    stack->freed_bytes += blocks[at].size_and_stack >> 16;
    profile->blocks_used--;
    // What stands behind moves up to where it is looked for.
    for (uint32_t next = (at + 1) & (BLOCKS - 1); blocks[next].address; next = (next + 1) & (BLOCKS - 1)) {
        uint32_t home = home_of(blocks[next].address);
        if (((next - home) & (BLOCKS - 1)) >= ((next - at) & (BLOCKS - 1))) {
            blocks[at] = blocks[next];
            at = next;
        }
    }
    blocks[at].address = 0;
}

__attribute__((noinline)) static void note_allocation(void *block, size_t size) {
    if (!profile || !block || is_inside) return;
    is_inside = 1;
    int kept = errno;
    struct walk walk = {.depth = 0};
    _Unwind_Backtrace(step, &walk);
    take_lock();
    profile->calls++;
    profile->bytes += size;
    uint32_t place = walk.depth ? place_of(&walk) : STACKS;
    if (place == STACKS) {
        profile->calls_lost++;
    } else {
        struct stack *stack = &profile->table[place];
        stack->calls++;
        stack->bytes += size;
        if (!hold((uintptr_t)block, size, place)) {
            profile->blocks_lost++;
            stack->freed_calls++;
            stack->freed_bytes += size;
        }
    }
    give_lock();
    errno = kept;
    is_inside = 0;
}

static void note_end(void *block) {
    if (!profile || !block || is_inside) return;
    take_lock();
    release((uintptr_t)block);
    give_lock();
}

// Before the block goes back: another thread may be given the same one at once.
void free(void *block) {
    note_end(block);
    __libc_free(block);
}
void *malloc(size_t size) {
    void *block = __libc_malloc(size);
    note_allocation(block, size);
    return block;
}
void *calloc(size_t items, size_t size) {
    void *block = __libc_calloc(items, size);
    note_allocation(block, items * size);
    return block;
}
void *realloc(void *old, size_t size) {
    note_end(old);
    void *block = __libc_realloc(old, size);
    note_allocation(block, size);
    return block;
}
void *memalign(size_t alignment, size_t size) {
    void *block = __libc_memalign(alignment, size);
    note_allocation(block, size);
    return block;
}
void *aligned_alloc(size_t alignment, size_t size) {
    void *block = __libc_memalign(alignment, size);
    note_allocation(block, size);
    return block;
}
int posix_memalign(void **result, size_t alignment, size_t size) {
    void *block = __libc_memalign(alignment, size);
    if (!block) return ENOMEM;
    *result = block;
    note_allocation(block, size);
    return 0;
}

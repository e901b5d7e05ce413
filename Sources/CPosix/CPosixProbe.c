#define _GNU_SOURCE
#include "CPosix.h"

#include <sys/syscall.h>

// The kernel's binary interface, stated here because headers of a build machine may be older than its kernel.
// The same numbers hold on every architecture but Alpha.
enum { SETUP_CALL = 425, REGISTER_CALL = 427 };
enum {
    SETUP_CQSIZE = 1 << 3, SETUP_CLAMP = 1 << 4, SETUP_R_DISABLED = 1 << 6, SETUP_SUBMIT_ALL = 1 << 7,
    SETUP_COOP_TASKRUN = 1 << 8, SETUP_TASKRUN_FLAG = 1 << 9, SETUP_SINGLE_ISSUER = 1 << 12,
    SETUP_DEFER_TASKRUN = 1 << 13,
};
enum { REGISTER_BUFFERS = 0, REGISTER_PROBE = 8, REGISTER_PBUF_RING = 22 };

/// struct io_uring_params: the offsets at its end are of no interest here.
struct ring_parameters {
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, reserved[3];
    uint64_t offsets[10];
};
_Static_assert(sizeof(struct ring_parameters) == 120, "the size io_uring_setup(2) reads and writes");

struct probe_answer {
    uint8_t last_operation, operation_count;
    uint16_t reserved;
    uint32_t reserved2[3];
    struct { uint8_t operation, reserved; uint16_t flags; uint32_t reserved2; } operations[128];
};

struct buffer_ring_request {
    uint64_t address;
    uint32_t entries;
    uint16_t group, flags;
    uint64_t reserved[3];
};

static int create_ring(uint32_t entries, uint32_t completion_entries, uint32_t flags, uint32_t *features) {
    struct ring_parameters parameters;
    long fd;
    // A closed ring gives its locked memory back some time later: ENOMEM may pass within milliseconds.
    for (int tries = 0; tries < 10; tries++) {
        parameters = (struct ring_parameters){.flags = flags, .cq_entries = completion_entries};
        fd = syscall(SETUP_CALL, entries, &parameters);
        if (fd >= 0 || errno != ENOMEM) break;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        errno = ENOMEM;
    }
    if (fd < 0) return -errno;
    if (features) *features = parameters.features;
    return (int)fd;
}

static int register_with_ring(int fd, unsigned operation, void *argument, unsigned count) {
    long result = syscall(REGISTER_CALL, fd, operation, argument, count);
    return result < 0 ? -errno : 0;
}

static void probe_operations(int fd, struct cposix_ring_facts *facts) {
    struct probe_answer answer;
    memset(&answer, 0, sizeof answer);
    facts->probe_result = register_with_ring(fd, REGISTER_PROBE, &answer, 128);
    if (facts->probe_result < 0) return;
    for (int i = 0; i < answer.operation_count && i < 128; i++) {
        if (!(answer.operations[i].flags & 1)) continue;  // IO_URING_OP_SUPPORTED
        uint8_t operation = answer.operations[i].operation;
        if (operation < 64) facts->operations_low |= (uint64_t)1 << operation;
        else if (operation < 128) facts->operations_high |= (uint64_t)1 << (operation - 64);
    }
}

static int probe_provided_ring(int fd) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return -errno;
    struct buffer_ring_request request = {.address = (uint64_t)(uintptr_t)page, .entries = 8};
    int result = register_with_ring(fd, REGISTER_PBUF_RING, &request, 1);
    munmap(page, size);  // The kernel holds its own reference to the page until the ring is closed.
    return result;
}

static int probe_fixed_buffer(int fd, size_t size) {
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED) return -errno;
    struct iovec part = {.iov_base = arena, .iov_len = size};
    int result = register_with_ring(fd, REGISTER_BUFFERS, &part, 1);
    munmap(arena, size);
    return result;
}

static void probe_flags(struct cposix_ring_facts *facts) {
    // Some flags are only accepted beside the one they build on.
    static const struct { uint32_t flag, with; } tries[] = {
        {SETUP_CQSIZE, 0}, {SETUP_CLAMP, 0}, {SETUP_R_DISABLED, 0}, {SETUP_SUBMIT_ALL, 0},
        {SETUP_COOP_TASKRUN, 0}, {SETUP_TASKRUN_FLAG, SETUP_COOP_TASKRUN}, {SETUP_SINGLE_ISSUER, 0},
        {SETUP_DEFER_TASKRUN, SETUP_SINGLE_ISSUER},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        uint32_t completions = tries[i].flag == SETUP_CQSIZE ? 16 : 0;
        int fd = create_ring(4, completions, tries[i].flag | tries[i].with, NULL);
        if (fd != -EINVAL) facts->accepted_flags |= tries[i].flag;  // Other errors say nothing about the flag.
        if (fd >= 0) close(fd);
    }
}

void cposix_probe_ring(struct cposix_ring_facts *facts, uint32_t submission_entries,
                       uint32_t completion_entries, size_t arena_size) {
    memset(facts, 0, sizeof *facts);
    int fd = create_ring(4, 0, 0, &facts->features);
    if (fd < 0) {
        facts->setup_result = fd;
        facts->probe_result = facts->provided_ring_result = facts->sized_ring_result = fd;
        facts->register_buffer_result = fd;
        return;
    }
    probe_operations(fd, facts);
    facts->provided_ring_result = probe_provided_ring(fd);
    facts->register_buffer_result = probe_fixed_buffer(fd, arena_size);
    close(fd);
    probe_flags(facts);
    fd = create_ring(submission_entries, completion_entries, SETUP_CQSIZE | SETUP_CLAMP, NULL);
    facts->sized_ring_result = fd < 0 ? fd : 0;
    if (fd >= 0) close(fd);
}

ssize_t cposix_read_file(const char *path, void *to, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -errno;
    size_t size = 0;
    while (size < capacity) {
        ssize_t result = read(fd, (char *)to + size, capacity - size);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        if (result == 0) break;
        size += (size_t)result;
    }
    close(fd);
    return (ssize_t)size;
}

// What `uproxy doctor` asks of the kernel: raw io_uring calls that need neither liburing nor a recent kernel
// header, so that the epoll-only build reports the same facts. The answers are -errno where a call failed.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What a tiny ring told about itself.
struct cposix_ring_facts {
    int setup_result;            ///< 0, or -errno of io_uring_setup(2) for the plainest ring.
    uint32_t features;           ///< IORING_FEAT_* of that ring.
    int probe_result;            ///< 0, or -errno of IORING_REGISTER_PROBE (5.6).
    uint64_t operations_low;     ///< Bit n: the kernel supports operation n, for 0 to 63.
    uint64_t operations_high;    ///< The same for 64 to 127.
    uint32_t accepted_flags;     ///< IORING_SETUP_* flags that were not refused, one try for each.
    int provided_ring_result;    ///< 0, or -errno of IORING_REGISTER_PBUF_RING (5.19).
    int sized_ring_result;       ///< 0, or -errno for a ring of the size the engine asks for.
    int register_buffer_result;  ///< 0, or -errno for registering `arena_size` bytes as a fixed buffer.
};

/// Creates and closes a few rings. Allocates nothing that stays.
void cposix_probe_ring(struct cposix_ring_facts *facts, uint32_t submission_entries,
                       uint32_t completion_entries, size_t arena_size);

/// Up to `capacity` bytes of a file into `to`; their count, or -errno. Made for procfs and sysfs.
ssize_t cposix_read_file(const char *path, void *to, size_t capacity);

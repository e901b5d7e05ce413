// liburing for Swift: inline shims over what Swift cannot import (macros, inline functions, enum constants), the
// constants that liburing 2.3 lacks, and one call that takes all completions of a turn. It decides nothing.
#pragma once
// Before liburing.h, which otherwise settles glibc's feature macros differently from Swift's own modules.
#include <sys/types.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <liburing.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define CURING_INLINE static inline __attribute__((always_inline))

// Later than liburing 2.3 (Debian 12); values from the kernel's include/uapi/linux/io_uring.h.
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)  // 6.2
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)  // 6.2
#endif

enum {
    CURING_SETUP_CQSIZE = IORING_SETUP_CQSIZE,
    CURING_SETUP_CLAMP = IORING_SETUP_CLAMP,
    CURING_SETUP_SUBMIT_ALL = IORING_SETUP_SUBMIT_ALL,
    CURING_SETUP_COOP_TASKRUN = IORING_SETUP_COOP_TASKRUN,
    CURING_SETUP_TASKRUN_FLAG = IORING_SETUP_TASKRUN_FLAG,
    CURING_SETUP_SINGLE_ISSUER = IORING_SETUP_SINGLE_ISSUER,
    CURING_SETUP_DEFER_TASKRUN = IORING_SETUP_DEFER_TASKRUN,
    CURING_CQE_F_BUFFER = IORING_CQE_F_BUFFER,
    CURING_CQE_F_MORE = IORING_CQE_F_MORE,
    CURING_CQE_F_NOTIF = IORING_CQE_F_NOTIF,
    CURING_CQE_BUFFER_SHIFT = IORING_CQE_BUFFER_SHIFT,
    CURING_FEAT_EXT_ARG = IORING_FEAT_EXT_ARG,
    CURING_FEAT_NODROP = IORING_FEAT_NODROP,
    CURING_FEAT_CQE_SKIP = IORING_FEAT_CQE_SKIP,
    CURING_OP_ACCEPT = IORING_OP_ACCEPT,
    CURING_OP_CONNECT = IORING_OP_CONNECT,
    CURING_OP_RECV = IORING_OP_RECV,
    CURING_OP_SEND = IORING_OP_SEND,
    CURING_OP_SENDMSG = IORING_OP_SENDMSG,
    CURING_OP_ASYNC_CANCEL = IORING_OP_ASYNC_CANCEL,
    CURING_OP_CLOSE = IORING_OP_CLOSE,
    CURING_OP_READ = IORING_OP_READ,
    CURING_OP_SEND_ZC = IORING_OP_SEND_ZC,
};

/// Sets up a ring. 0, or -errno.
CURING_INLINE int curing_init(struct io_uring *ring, unsigned entries, unsigned cq_entries, unsigned flags,
                              unsigned *features) {
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    params.flags = flags;
    params.cq_entries = cq_entries;
    int result = io_uring_queue_init_params(entries, ring, &params);
    *features = params.features;
    if (result == 0) io_uring_ring_dontfork(ring);
    return result;
}

/// Whether the kernel knows the operation (IORING_REGISTER_PROBE, 5.6).
CURING_INLINE int curing_supports(struct io_uring *ring, int operation) {
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (!probe) return 0;
    int supported = io_uring_opcode_supported(probe, operation);
    io_uring_free_probe(probe);
    return supported;
}

/// Makes queued SQEs visible to the kernel; how many it has not taken yet.
CURING_INLINE unsigned curing_flush(struct io_uring *ring) {
    struct io_uring_sq *sq = &ring->sq;
    unsigned mask = *sq->kring_mask, tail = *sq->ktail;
    if (sq->sqe_head != sq->sqe_tail) {
        for (; sq->sqe_head != sq->sqe_tail; sq->sqe_head++) sq->array[tail++ & mask] = sq->sqe_head & mask;
        io_uring_smp_store_release(sq->ktail, tail);
    }
    return tail - io_uring_smp_load_acquire(sq->khead);
}

/// SQEs queued and not yet taken by the kernel.
CURING_INLINE unsigned curing_unsubmitted(struct io_uring *ring) {
    return ring->sq.sqe_tail - io_uring_smp_load_acquire(ring->sq.khead);
}

/// One kernel entry: submits everything queued, runs deferred task work, waits for `wait_count` completions or
/// `timeout` nanoseconds (negative: for ever). How many SQEs were taken, or -errno (-ETIME when time was up).
static inline int curing_enter(struct io_uring *ring, unsigned wait_count, int64_t timeout) {
    unsigned submit = curing_flush(ring);
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (ring->enter_ring_fd != ring->ring_fd) flags |= IORING_ENTER_REGISTERED_RING;
    struct __kernel_timespec ts = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
    struct io_uring_getevents_arg argument;
    memset(&argument, 0, sizeof argument);
    argument.sigmask_sz = _NSIG / 8;
    if (timeout >= 0) argument.ts = (uint64_t)(uintptr_t)&ts;
    return io_uring_enter2(ring->enter_ring_fd, submit, wait_count, flags, (sigset_t *)&argument, sizeof argument);
}

/// Moves up to `capacity` completions out of the ring; how many.
CURING_INLINE unsigned curing_reap(struct io_uring *ring, struct io_uring_cqe *out, unsigned capacity) {
    struct io_uring_cq *cq = &ring->cq;
    unsigned mask = *cq->kring_mask, head = *cq->khead, tail = io_uring_smp_load_acquire(cq->ktail), count = 0;
    while (head != tail && count < capacity) out[count++] = cq->cqes[head++ & mask];
    io_uring_smp_store_release(cq->khead, head);
    return count;
}

CURING_INLINE unsigned curing_overflowed(struct io_uring *ring) {
    return IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_CQ_OVERFLOW;
}

/// Whether completions are due that only a kernel entry brings: deferred task work (told with
/// IORING_SETUP_TASKRUN_FLAG, 5.19), or completions that overflowed. A read of shared memory.
CURING_INLINE int curing_is_entry_due(struct io_uring *ring) {
    return (IO_URING_READ_ONCE(*ring->sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/// Whether completions are there to be moved out.
CURING_INLINE int curing_has_completions(struct io_uring *ring) {
    return *ring->cq.khead != io_uring_smp_load_acquire(ring->cq.ktail);
}

/// A free SQE; NULL when the submission queue is full.
CURING_INLINE struct io_uring_sqe *curing_get_sqe(struct io_uring *ring) { return io_uring_get_sqe(ring); }

CURING_INLINE void curing_prep_accept(struct io_uring_sqe *sqe, int fd, uint64_t data, int multishot) {
    if (multishot) io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    else io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_connect(struct io_uring_sqe *sqe, int fd, const void *address, unsigned size,
                                       uint64_t data) {
    io_uring_prep_connect(sqe, fd, (const struct sockaddr *)address, size);
    sqe->user_data = data;
}
/// A receive into whatever provided slice is next.
CURING_INLINE void curing_prep_recv_provided(struct io_uring_sqe *sqe, int fd, int group, int multishot,
                                             uint64_t data) {
    if (multishot) io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    else io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = (uint16_t)group;
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_recv(struct io_uring_sqe *sqe, int fd, void *to, unsigned size, uint64_t data) {
    io_uring_prep_recv(sqe, fd, to, size, 0);
    sqe->user_data = data;
}
/// `quiet`: DONTWAIT with WAITALL and CQE_SKIP_SUCCESS post no completion when every byte went, and exactly one,
/// there when the entry that submitted it returns, when not.
CURING_INLINE void curing_prep_send(struct io_uring_sqe *sqe, int fd, const void *from, unsigned size, int quiet,
                                    uint64_t data) {
    io_uring_prep_send(sqe, fd, from, size, MSG_NOSIGNAL | (quiet ? MSG_DONTWAIT | MSG_WAITALL : 0));
    if (quiet) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_sendmsg(struct io_uring_sqe *sqe, int fd, struct msghdr *message,
                                       struct iovec *parts, unsigned count, int quiet, uint64_t data) {
    memset(message, 0, sizeof *message);
    message->msg_iov = parts;
    message->msg_iovlen = count;
    io_uring_prep_sendmsg(sqe, fd, message, MSG_NOSIGNAL | (quiet ? MSG_DONTWAIT | MSG_WAITALL : 0));
    if (quiet) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = data;
}
/// Waits first until poll(2) calls the socket writable, even where it would take the message at once
/// (IORING_RECVSEND_POLL_FIRST, 5.19).
CURING_INLINE void curing_prep_sendmsg_when_writable(struct io_uring_sqe *sqe, int fd, const struct msghdr *message,
                                                     uint64_t data) {
    io_uring_prep_sendmsg(sqe, fd, message, MSG_NOSIGNAL);
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    sqe->user_data = data;
}
/// Out of registered buffer `index`, with a report whether the kernel copied after all (6.2).
CURING_INLINE void curing_prep_send_zc_fixed(struct io_uring_sqe *sqe, int fd, const void *from, unsigned size,
                                             unsigned index, int report, uint64_t data) {
    io_uring_prep_send_zc_fixed(sqe, fd, from, size, MSG_NOSIGNAL, report ? IORING_SEND_ZC_REPORT_USAGE : 0, index);
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_read(struct io_uring_sqe *sqe, int fd, void *to, unsigned size, uint64_t data) {
    io_uring_prep_read(sqe, fd, to, size, 0);
    sqe->user_data = data;
}
/// Completes once the descriptor is ready for one of `events`, with those it is ready for.
CURING_INLINE void curing_prep_poll(struct io_uring_sqe *sqe, int fd, unsigned events, uint64_t data) {
    io_uring_prep_poll_add(sqe, fd, events);
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_cancel(struct io_uring_sqe *sqe, uint64_t target, int skip, uint64_t data) {
    io_uring_prep_cancel64(sqe, target, 0);
    if (skip) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_close(struct io_uring_sqe *sqe, int fd, int skip, uint64_t data) {
    io_uring_prep_close(sqe, fd);
    if (skip) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = data;
}
CURING_INLINE void curing_prep_nop(struct io_uring_sqe *sqe, uint64_t data) {
    io_uring_prep_nop(sqe);
    sqe->user_data = data;
}

/// Registers a ring of provided slices of `entries` (a power of two). 0, or -errno (5.19).
CURING_INLINE int curing_register_slices(struct io_uring *ring, void *memory, unsigned entries, int group) {
    struct io_uring_buf_reg registration;
    memset(&registration, 0, sizeof registration);
    registration.ring_addr = (uint64_t)(uintptr_t)memory;
    registration.ring_entries = entries;
    registration.bgid = (uint16_t)group;
    int result = io_uring_register_buf_ring(ring, &registration, 0);
    if (result == 0) io_uring_buf_ring_init((struct io_uring_buf_ring *)memory);
    return result;
}
CURING_INLINE void curing_provide(void *memory, void *slice, unsigned size, uint16_t id, unsigned mask, int offset) {
    io_uring_buf_ring_add((struct io_uring_buf_ring *)memory, slice, size, id, (int)mask, offset);
}
CURING_INLINE void curing_publish(void *memory, int count) {
    io_uring_buf_ring_advance((struct io_uring_buf_ring *)memory, count);
}

// System calls that only the load generator makes; what the engine needs as well stands in CPosix. As there, a call
// answers with its result or with -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/// Where to connect to.
struct cload_target {
    struct sockaddr_storage address;
    uint32_t size;
    /// Whether it is in 127.0.0.0/8, any address of which this machine can also connect from.
    int is_loopback;
};

/// Reads a numeric IPv4 or IPv6 address. Whether it is one.
int cload_parse_target(const char *host, uint16_t port, struct cload_target *target);

/// Starts a connection: non-blocking, close on exec, TCP_NODELAY. Loopback targets are reached from the address
/// 127.0.0.1 + `source`. The descriptor, even while the connection is in progress.
int cload_connect(const struct cload_target *target, uint32_t source);

/// Takes up to `size` bytes off a TCP socket without copying them (MSG_TRUNC, tcp(7)).
ssize_t cload_discard(int fd, size_t size);

/// Sends `size` bytes of a file from `offset` on: sendfile(2).
ssize_t cload_send_file(int fd, int file, off_t offset, size_t size);

/// A file in memory with the given contents.
int cload_memory_file(const void *bytes, size_t size);

/// CPU time of the process, user and system, in nanoseconds.
int64_t cload_cpu_nanoseconds(void);

/// Lets waits of this thread end when asked for. By default the kernel may be 50 µs late (PR_SET_TIMERSLACK).
void cload_make_timers_precise(void);

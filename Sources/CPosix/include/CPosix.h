// What the engine needs of the C library and Swift cannot import as it is: calls whose signature depends on
// feature macros, macros with arguments, and memory primitives that must inline.
//
// No feature macro is set here: with _GNU_SOURCE glibc's fd_set and others differ from those in Swift's own Glibc
// module, and a file that sees both (through Synchronization or Testing) does not compile. What needs GNU
// extensions stands in CPosix.c.
#pragma once
#include <sys/types.h>
#include <sys/select.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CPOSIX_INLINE static inline __attribute__((always_inline))

int sched_getaffinity(pid_t, size_t, cpu_set_t *);
int pthread_setaffinity_np(pthread_t, size_t, const cpu_set_t *);
int pthread_setname_np(pthread_t, const char *);

CPOSIX_INLINE void cposix_copy(void *to, const void *from, size_t size) { memcpy(to, from, size); }
CPOSIX_INLINE void cposix_move(void *to, const void *from, size_t size) { memmove(to, from, size); }
CPOSIX_INLINE int cposix_errno(void) { return errno; }

/// Nanoseconds of CLOCK_MONOTONIC (vDSO: about 25 ns, no kernel entry).
CPOSIX_INLINE int64_t cposix_monotonic_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Milliseconds of CLOCK_REALTIME, since 1970.
CPOSIX_INLINE int64_t cposix_realtime_milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/// Nanoseconds of CLOCK_REALTIME, since 1970.
CPOSIX_INLINE int64_t cposix_realtime_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// One step of a loop that waits for memory to change: leaves the core to its other hardware thread for a moment.
CPOSIX_INLINE void cposix_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// Every call below answers with its result, or with -errno: no thread-local read on the Swift side.
CPOSIX_INLINE int cposix_result(int result) { return result < 0 ? -errno : result; }
CPOSIX_INLINE ssize_t cposix_size_result(ssize_t result) { return result < 0 ? -errno : result; }

CPOSIX_INLINE int cposix_socket(int family, int type, int protocol) {
    return cposix_result(socket(family, type, protocol));
}
CPOSIX_INLINE int cposix_bind(int fd, const void *address, uint32_t size) {
    return cposix_result(bind(fd, (const struct sockaddr *)address, size));
}
CPOSIX_INLINE int cposix_listen(int fd, int backlog) { return cposix_result(listen(fd, backlog)); }
CPOSIX_INLINE int cposix_connect(int fd, const void *address, uint32_t size) {
    return cposix_result(connect(fd, (const struct sockaddr *)address, size));
}
/// accept4(2).
int cposix_accept(int fd, int flags);
CPOSIX_INLINE int cposix_getpeername(int fd, void *address, uint32_t *size) {
    return cposix_result(getpeername(fd, (struct sockaddr *)address, size));
}
CPOSIX_INLINE int cposix_getsockname(int fd, void *address, uint32_t *size) {
    return cposix_result(getsockname(fd, (struct sockaddr *)address, size));
}
CPOSIX_INLINE int cposix_setsockopt_int(int fd, int level, int name, int value) {
    return cposix_result(setsockopt(fd, level, name, &value, sizeof value));
}
CPOSIX_INLINE int cposix_getsockopt_int(int fd, int level, int name, int *value) {
    socklen_t size = sizeof *value;
    return cposix_result(getsockopt(fd, level, name, value, &size));
}
/// Linger of zero: close(2) then resets the connection (RST) instead of ending it (FIN).
CPOSIX_INLINE int cposix_set_reset_on_close(int fd) {
    struct linger value = {.l_onoff = 1, .l_linger = 0};
    return cposix_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value));
}
CPOSIX_INLINE int cposix_shutdown(int fd, int how) { return cposix_result(shutdown(fd, how)); }
CPOSIX_INLINE int cposix_close(int fd) { return cposix_result(close(fd)); }
CPOSIX_INLINE ssize_t cposix_recv(int fd, void *to, size_t size, int flags) {
    return cposix_size_result(recv(fd, to, size, flags));
}
CPOSIX_INLINE ssize_t cposix_send(int fd, const void *from, size_t size, int flags) {
    return cposix_size_result(send(fd, from, size, flags));
}
CPOSIX_INLINE ssize_t cposix_receive_from(
    int fd, void *to, size_t size, int flags, void *address, uint32_t *address_size) {
    return cposix_size_result(recvfrom(fd, to, size, flags, (struct sockaddr *)address, address_size));
}
CPOSIX_INLINE ssize_t cposix_send_to(
    int fd, const void *from, size_t size, int flags, const void *address, uint32_t address_size) {
    return cposix_size_result(sendto(fd, from, size, flags, (const struct sockaddr *)address, address_size));
}
CPOSIX_INLINE ssize_t cposix_sendmsg(int fd, const struct iovec *parts, size_t count, int flags) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
    return cposix_size_result(sendmsg(fd, &message, flags));
}
CPOSIX_INLINE ssize_t cposix_read(int fd, void *to, size_t size) {
    return cposix_size_result(read(fd, to, size));
}
CPOSIX_INLINE ssize_t cposix_write(int fd, const void *from, size_t size) {
    return cposix_size_result(write(fd, from, size));
}
/// A pipe of `size` bytes (rounded up by the kernel) whose ends do not block. The size it has, or -errno, also where the
/// kernel refuses the size.
int cposix_pipe(int *read_end, int *write_end, int size);
/// Moves up to `size` bytes between a pipe and a socket, which itself must not block. How many, or -errno.
ssize_t cposix_splice(int from, int to, size_t size);
/// The same from a pipe to a socket in blocking mode: only that flag of the socket keeps splice(2) from waiting for room
/// (SPLICE_F_NONBLOCK is about the pipe), so it is set for the call.
ssize_t cposix_splice_to_blocking(int pipe, int socket, size_t size);
/// Lets a write to a connection that is gone be an error (EPIPE) and no signal. splice(2) has no MSG_NOSIGNAL.
CPOSIX_INLINE void cposix_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
/// The index of a network interface; 0 if there is none of that name.
CPOSIX_INLINE uint32_t cposix_interface_index(const char *name) { return if_nametoindex(name); }
/// A number that changes when a file is written or replaced; 0 if there is none.
static inline uint64_t cposix_file_stamp(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) return 0;
    uint64_t time = (uint64_t)status.st_mtim.tv_sec * 1000000000 + (uint64_t)status.st_mtim.tv_nsec;
    return time ^ (uint64_t)status.st_ino * 0x9E3779B97F4A7C15 ^ (uint64_t)status.st_size << 48;
}
CPOSIX_INLINE int cposix_eventfd(void) { return cposix_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
CPOSIX_INLINE int cposix_epoll_create(void) { return cposix_result(epoll_create1(EPOLL_CLOEXEC)); }
CPOSIX_INLINE int cposix_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return cposix_result(epoll_ctl(epoll, operation, fd, &event));
}
CPOSIX_INLINE int cposix_duplicate(int fd) { return cposix_result(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }
/// Waits until `fd` is readable.
static inline void cposix_wait_readable(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    while (poll(&one, 1, -1) < 0 && errno == EINTR) {}
}
/// Waits until one of two is readable: 0 for the first; 1 for the second, which goes before.
static inline int cposix_wait_readable_or(int first, int second) {
    struct pollfd both[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    while (poll(both, 2, -1) < 0 && errno == EINTR) {}
    return both[1].revents != 0;
}
/// Waits for `events` on `fd` until `deadline` (CLOCK_MONOTONIC, nanoseconds). Whether they came.
static inline int cposix_await_until(int fd, short events, int64_t deadline) {
    for (;;) {
        int64_t rest = deadline - cposix_monotonic_nanoseconds();
        if (rest <= 0) return 0;
        struct pollfd one = {.fd = fd, .events = events};
        int result = poll(&one, 1, (int)(rest / 1000000) + 1);
        if (result > 0) return 1;
        if (result < 0 && errno != EINTR) return 0;
    }
}
/// Receives some bytes on a non-blocking socket; 0 at the end of the stream, negative when time is up or it failed.
static inline ssize_t cposix_receive_until(int fd, void *to, size_t size, int64_t deadline) {
    for (;;) {
        ssize_t result = recv(fd, to, size, 0);
        if (result >= 0) return result;
        if (errno != EAGAIN && errno != EINTR) return -errno;
        if (!cposix_await_until(fd, POLLIN, deadline)) return -ETIMEDOUT;
    }
}
/// Sends all bytes on a non-blocking socket; 0, or negative when time is up or it failed.
static inline int cposix_send_until(int fd, const void *from, size_t size, int64_t deadline) {
    while (size > 0) {
        ssize_t result = send(fd, from, size, MSG_NOSIGNAL);
        if (result < 0) {
            if (errno != EAGAIN && errno != EINTR) return -errno;
            if (!cposix_await_until(fd, POLLOUT, deadline)) return -ETIMEDOUT;
            continue;
        }
        from = (const char *)from + result;
        size -= (size_t)result;
    }
    return 0;
}
/// Bytes of memory the machine has.
CPOSIX_INLINE uint64_t cposix_physical_memory(void) {
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}
/// Bytes in the send queue (SIOCOUTQ): not sent yet, or sent and not acknowledged; 0 if that cannot be told.
static inline int cposix_unsent_bytes(int fd) {
    int bytes = 0;
    return ioctl(fd, TIOCOUTQ, &bytes) == 0 ? bytes : 0;
}
static inline int cposix_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : cposix_result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}
static inline int cposix_set_blocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : cposix_result(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}
/// Opens a file to read; or -errno.
CPOSIX_INLINE int cposix_open_for_reading(const char *path) {
    return cposix_result(open(path, O_RDONLY | O_CLOEXEC));
}
/// Opens a file to write into, and makes it if there is none; what it holds stays.
/// For its owner alone, where it is new.
CPOSIX_INLINE int cposix_open_for_appending(const char *path) {
    return cposix_result(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
}
CPOSIX_INLINE int cposix_open_for_writing(const char *path) {
    return cposix_result(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
}
CPOSIX_INLINE int cposix_set_close_on_exec(int fd) { return cposix_result(fcntl(fd, F_SETFD, FD_CLOEXEC)); }
/// 1 for a stream socket that listens, else 0 or -errno.
static inline int cposix_is_listening(int fd) {
    int listens = 0, type = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return -errno;
    size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
    return listens && type == SOCK_STREAM;
}
/// The ids of a user; 0, -ENOENT if there is none of that name, or -errno.
int cposix_find_user(const char *name, uint32_t *user, uint32_t *group);
/// Becomes that user for good, in all threads, with the groups it is in; 0 or -errno. What root alone may do is gone.
int cposix_become(const char *name, uint32_t user, uint32_t group);
/// Sends a datagram to the unix socket at `path`, which may begin with '@' (the abstract namespace); 0 or -errno.
int cposix_notify(const char *path, const void *bytes, size_t size);
/// Whether reading (or accepting) would find something at once.
static inline int cposix_poll_readable(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) > 0;
}
/// Whether poll(2) calls it writable: there is room for more than a byte (a third of a socket's buffer).
static inline int cposix_is_writable(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    return poll(&one, 1, 0) > 0;
}
CPOSIX_INLINE ssize_t cposix_send_message(int fd, const struct msghdr *message, int flags) {
    return cposix_size_result(sendmsg(fd, message, flags));
}
/// epoll_pwait2 (Linux 5.11) takes nanoseconds; where it is missing the timeout is rounded up to a millisecond.
static inline int cposix_epoll_wait(int epoll, struct epoll_event *events, int count, int64_t nanoseconds) {
    if (nanoseconds < 0) return cposix_result(epoll_wait(epoll, events, count, -1));
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int result = epoll_pwait2(epoll, events, count, &timeout, NULL);
    if (result < 0 && errno == ENOSYS) {
        int64_t milliseconds = (nanoseconds + 999999) / 1000000;
        result = epoll_wait(epoll, events, count, milliseconds > 1 << 30 ? 1 << 30 : (int)milliseconds);
    }
    return cposix_result(result);
}
CPOSIX_INLINE uint64_t cposix_epoll_tag(const struct epoll_event *event) { return event->data.u64; }

// Swift sees no macro with a cast or an expression of unsigned shifts: constants it needs as plain numbers.
enum {
    CPOSIX_EPOLLIN = EPOLLIN, CPOSIX_EPOLLOUT = EPOLLOUT, CPOSIX_EPOLLERR = EPOLLERR,
    CPOSIX_POLLIN = POLLIN, CPOSIX_POLLOUT = POLLOUT,
    CPOSIX_EPOLLHUP = EPOLLHUP, CPOSIX_EPOLLRDHUP = EPOLLRDHUP,
    CPOSIX_SOCK_STREAM = SOCK_STREAM, CPOSIX_SOCK_NONBLOCK = SOCK_NONBLOCK, CPOSIX_SOCK_CLOEXEC = SOCK_CLOEXEC,
    CPOSIX_SHUT_RD = SHUT_RD, CPOSIX_SHUT_WR = SHUT_WR, CPOSIX_SHUT_RDWR = SHUT_RDWR,
    CPOSIX_MSG_DONTWAIT = MSG_DONTWAIT, CPOSIX_MSG_NOSIGNAL = MSG_NOSIGNAL, CPOSIX_MSG_WAITALL = MSG_WAITALL,
    CPOSIX_MSG_PEEK = MSG_PEEK, CPOSIX_MSG_OOB = MSG_OOB, CPOSIX_MSG_MORE = MSG_MORE, CPOSIX_IPPROTO_TCP = IPPROTO_TCP,
    CPOSIX_IPPROTO_IPV6 = IPPROTO_IPV6,
};
static const uint32_t CPOSIX_EPOLLET = 1u << 31;

/// Address space without memory behind it until touched; -errno (negative, as an address) on failure.
CPOSIX_INLINE void *cposix_map(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}
CPOSIX_INLINE int cposix_unmap(void *p, size_t size) { return cposix_result(munmap(p, size)); }
/// Not inherited by a fork, whose copy-on-write would move pages the kernel holds.
CPOSIX_INLINE void cposix_keep_from_forks(void *p, size_t size) { madvise(p, size, MADV_DONTFORK); }
CPOSIX_INLINE void cposix_prefer_huge_pages(void *p, size_t size) { madvise(p, size, MADV_HUGEPAGE); }
/// Gives the pages back to the system; they read as zero when touched again.
CPOSIX_INLINE void cposix_release_pages(void *p, size_t size) { madvise(p, size, MADV_DONTNEED); }

/// How many entries a folder has; -errno if it cannot be read.
int64_t cposix_count_entries(const char *path);

/// Binds the calling thread to one CPU.
int cposix_pin_thread(int cpu);
/// The CPUs the process may use, into `cpus`; their count, or -errno.
int cposix_allowed_cpus(int *cpus, int capacity);
/// Names the calling thread (at most 15 bytes) for top, perf and gdb.
void cposix_name_thread(const char *name);

CPOSIX_INLINE FILE *cposix_stderr(void) { return stderr; }
CPOSIX_INLINE FILE *cposix_stdout(void) { return stdout; }

static inline int cposix_raise_nofile(uint64_t *soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    int result = cposix_result(setrlimit(RLIMIT_NOFILE, &limit));
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    return result;
}
static inline uint64_t cposix_limit(int which_is_memlock) {
    struct rlimit limit;
    if (getrlimit(which_is_memlock ? RLIMIT_MEMLOCK : RLIMIT_NOFILE, &limit) < 0) return 0;
    return limit.rlim_cur;
}

/// The signals that a service waits for: SIGINT and SIGTERM end it, SIGHUP reloads it, SIGUSR1 opens its log anew, SIGUSR2 asks for an
/// upgrade.
static inline sigset_t cposix_service_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return set;
}
static inline void cposix_catch_nothing(int number) { (void)number; }
/// Blocks them (for every thread started later), ignores SIGPIPE. SIGUSR2 has a handler, though it never runs: /proc shows that it
/// would not end this process.
static inline void cposix_block_signals(void) {
    signal(SIGUSR2, cposix_catch_nothing);
    sigset_t set = cposix_service_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}
/// Waits for one of them for at most `nanoseconds`; negative: for ever. The signal's number, or 0 when the time has passed;
/// and the process that sent it with kill(2), 0 if that is not known.
static inline int cposix_wait_for_signal(int64_t nanoseconds, int *sender) {
    sigset_t set = cposix_service_signals();
    int64_t end = cposix_monotonic_nanoseconds() + nanoseconds;
    for (;;) {
        int64_t rest = end - cposix_monotonic_nanoseconds();
        if (rest < 0) rest = 0;
        struct timespec timeout = {.tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000};
        siginfo_t info;
        int number = sigtimedwait(&set, &info, nanoseconds < 0 ? NULL : &timeout);
        *sender = number > 0 && info.si_code == SI_USER ? info.si_pid : 0;
        if (number > 0) return number;
        if (errno != EINTR) return 0;
    }
}

/// Starts a thread; `entry` owns `argument`. 0, or -errno.
static inline int cposix_start_thread(pthread_t *thread, void *(*entry)(void *), void *argument) {
    return -pthread_create(thread, NULL, entry, argument);
}

/// The same where nobody asks who sent it.
static inline int cposix_wait_for_signal_within(int64_t nanoseconds) {
    int sender;
    return cposix_wait_for_signal(nanoseconds, &sender);
}

#include "CPosixFlight.h"
#include "CPosixHandover.h"
#include "CPosixLog.h"
#include "CPosixPoints.h"
#include "CPosixProbe.h"
#include "CPosixTLS.h"
#include "CPosixTerminal.h"

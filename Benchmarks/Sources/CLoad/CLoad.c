#define _GNU_SOURCE
#include "CLoad.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <unistd.h>

int cload_parse_target(const char *host, uint16_t port, struct cload_target *target) {
    memset(target, 0, sizeof *target);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        target->size = sizeof *v4;
        target->is_loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
        return 1;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        target->size = sizeof *v6;
        return 1;
    }
    return 0;
}

int cload_connect(const struct cload_target *target, uint32_t source) {
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (target->is_loopback && source > 0) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source)};
        // Only connect(2) picks the port then (Linux 4.2), so that it need be free for this target alone.
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) goto failed;
    }
    if (connect(fd, (const struct sockaddr *)&target->address, target->size) == 0 || errno == EINPROGRESS) return fd;
failed:;
    int error = errno;
    close(fd);
    return -error;
}

ssize_t cload_discard(int fd, size_t size) {
    ssize_t result = recv(fd, NULL, size, MSG_TRUNC | MSG_DONTWAIT);
    return result < 0 ? -errno : result;
}

ssize_t cload_send_file(int fd, int file, off_t offset, size_t size) {
    ssize_t result = sendfile(fd, file, &offset, size);
    return result < 0 ? -errno : result;
}

int cload_memory_file(const void *bytes, size_t size) {
    int fd = memfd_create("body", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    for (size_t done = 0; done < size;) {
        ssize_t result = write(fd, (const char *)bytes + done, size - done);
        if (result < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        done += (size_t)result;
    }
    return fd;
}

static int64_t nanoseconds(struct timeval time) { return ((int64_t)time.tv_sec * 1000000 + time.tv_usec) * 1000; }

int64_t cload_cpu_nanoseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

void cload_make_timers_precise(void) { prctl(PR_SET_TIMERSLACK, 1L, 0, 0, 0); }

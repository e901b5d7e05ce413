#define _GNU_SOURCE
#include "CPosix.h"

int cposix_accept(int fd, int flags) { return cposix_result(accept4(fd, NULL, NULL, flags)); }

int cposix_pipe(int *read_end, int *write_end, int size) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
    int granted = cposix_result(fcntl(ends[1], F_SETPIPE_SZ, size));
    if (granted < 0) {
        close(ends[0]);
        close(ends[1]);
        return granted;
    }
    *read_end = ends[0];
    *write_end = ends[1];
    return granted;
}

ssize_t cposix_splice(int from, int to, size_t size) {
    return cposix_size_result(splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

ssize_t cposix_splice_to_blocking(int pipe, int socket, size_t size) {
    // A socket has no other status flag that F_SETFL could take away.
    if (fcntl(socket, F_SETFL, O_NONBLOCK) < 0) return -errno;
    ssize_t result = cposix_splice(pipe, socket, size);
    fcntl(socket, F_SETFL, 0);
    return result;
}

int cposix_pin_thread(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int cposix_allowed_cpus(int *cpus, int capacity) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    int count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
    return count;
}

void cposix_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

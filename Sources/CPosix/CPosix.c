#define _GNU_SOURCE
#include "CPosix.h"

int cposix_accept(int fd, int flags) { return cposix_result(accept4(fd, NULL, NULL, flags)); }

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

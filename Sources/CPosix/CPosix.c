#define _GNU_SOURCE
#include "CPosix.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>

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

int cposix_notify(const char *path, const void *bytes, size_t size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(fd, bytes, size, MSG_NOSIGNAL, (const struct sockaddr *)&address, address_size);
    int result = sent < 0 ? -errno : 0;
    close(fd);
    return result;
}

int cposix_find_user(const char *name, uint32_t *user, uint32_t *group) {
    struct passwd entry, *found = NULL;
    char buffer[16384];
    int error = getpwnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (error) return -error;
    if (!found) return -ENOENT;
    *user = entry.pw_uid;
    *group = entry.pw_gid;
    return 0;
}

int cposix_become(const char *name, uint32_t user, uint32_t group) {
    // glibc does each of these in all threads (nptl(7)). Groups first: a user may not change them.
    if (initgroups(name, group) < 0) return -errno;
    if (setresgid(group, group, group) < 0) return -errno;
    if (setresuid(user, user, user) < 0) return -errno;
    // Against a way back, whatever the reason for it would be.
    return user != 0 && setresuid(0, 0, 0) == 0 ? -EPERM : 0;
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

int64_t cposix_count_entries(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return -errno;
    int64_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        // Not the folder itself and the one above it.
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
    }
    closedir(folder);
    return count;
}

#define _GNU_SOURCE
#include "CPosix.h"

#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>

int cposix_make_channel(int *first, int *second) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    *first = ends[0];
    *second = ends[1];
    return 0;
}

const char *const *cposix_environment(void) { return (const char *const *)environ; }

int cposix_start_process(const char *program, const char *const *arguments, const char *const *environment, int channel) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    pid_t process = -1;
    // To the number it has already dup2 would change nothing; glibc takes close-on-exec from it then (2.29).
    error = posix_spawn_file_actions_adddup2(&actions, channel, CPOSIX_CHANNEL);
    // Sockets of a service manager are open across exec: they are handed over like the others.
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, CPOSIX_CHANNEL + 1);
    if (!error)
        error = posix_spawnp(&process, program, &actions, NULL, (char *const *)arguments, (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : process;
}

int cposix_reap(int process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cposix_send_descriptors(int channel, const void *bytes, size_t size, const int *descriptors, int count) {
    if (count > CPOSIX_DESCRIPTORS_LIMIT) return -EINVAL;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * CPOSIX_DESCRIPTORS_LIMIT)];
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        size_t room = sizeof(int) * (size_t)count;
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(room);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(room), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(header), descriptors, room);
    }
    ssize_t sent;
    do sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

ssize_t cposix_receive_descriptors(
    int channel, void *to, size_t size, int *descriptors, int *count, int64_t deadline) {
    *count = 0;
    if (!cposix_await_until(channel, POLLIN, deadline)) return -ETIMEDOUT;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * CPOSIX_DESCRIPTORS_LIMIT)];
    struct iovec part = {.iov_base = to, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t received;
    do received = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors, CMSG_DATA(header), sizeof(int) * (size_t)*count);
    }
    // Descriptors that found no room (RLIMIT_NOFILE) are dropped by the kernel, and the message says so.
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int i = 0; i < *count; i++) close(descriptors[i]);
        *count = 0;
        return message.msg_flags & MSG_CTRUNC ? -EMFILE : -EMSGSIZE;
    }
    return received;
}

int cposix_open_mailbox(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if (length + 1 > sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, name, length);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = cposix_setsockopt_int(fd, SOL_SOCKET, SO_PASSCRED, 1);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    if (result >= 0) result = cposix_bind(fd, &address, size);
    if (result >= 0) return fd;
    close(fd);
    return result;
}

ssize_t cposix_receive_mail(int mailbox, void *to, size_t size, int *sender, int64_t deadline) {
    *sender = 0;
    if (!cposix_await_until(mailbox, POLLIN, deadline)) return -ETIMEDOUT;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {.iov_base = to, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t received = recvmsg(mailbox, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) continue;
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
        *sender = credentials.pid;
    }
    return received;
}

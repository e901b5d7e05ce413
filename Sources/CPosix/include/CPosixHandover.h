// Another process that takes this one's place: how it is started, and how descriptors reach it.
#pragma once
#include <stdint.h>
#include <sys/types.h>

enum {
    /// SCM_MAX_FD: what one message can carry.
    CPOSIX_DESCRIPTORS_LIMIT = 253,
    /// Where the other process finds its end of the channel.
    CPOSIX_CHANNEL = 3,
};

/// Two connected sockets that keep messages apart (SOCK_SEQPACKET); 0 or -errno.
int cposix_make_channel(int *first, int *second);
/// The environment of this process, as exec(3) takes it.
const char *const *cposix_environment(void);
/// Starts a program, searched for in PATH if its name has no slash, with `channel` as its descriptor 3 and none after it.
/// Its process, or -errno.
int cposix_start_process(const char *program, const char *const *arguments, const char *const *environment, int channel);
/// How a process of ours has ended, which is waited for: its exit status, or 128 and the signal; or -errno.
int cposix_reap(int process);
/// Sends one message with descriptors; 0 or -errno.
int cposix_send_descriptors(int channel, const void *bytes, size_t size, const int *descriptors, int count);
/// Receives one message; its size, 0 at the channel's end, or -errno. `descriptors` has room for CPOSIX_DESCRIPTORS_LIMIT; a
/// message of more than `size` bytes is -EMSGSIZE. `deadline` is CLOCK_MONOTONIC, in nanoseconds.
ssize_t cposix_receive_descriptors(
    int channel, void *to, size_t size, int *descriptors, int *count, int64_t deadline);
/// A datagram socket at an abstract name, for one answer; or -errno.
int cposix_open_mailbox(const char *name);
/// Receives a datagram there, of a process whose id is put into `sender`; its size, or -errno.
ssize_t cposix_receive_mail(int mailbox, void *to, size_t size, int *sender, int64_t deadline);

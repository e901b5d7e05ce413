#include "CPosix.h"

#include <linux/tls.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

int cposix_tls_encrypt(int fd, const void *keys, size_t size) {
    // It may have come so far once before.
    if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") < 0 && errno != EEXIST) return -errno;
    return cposix_result(setsockopt(fd, SOL_TLS, TLS_TX, keys, (socklen_t)size));
}

/// What says that a message is a record of its own, which holds an alert.
union alert_control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(unsigned char))];
};

enum { ALERT_RECORD = 21, WARNING = 1, CLOSE_NOTIFY = 0 };

static void write_control(struct msghdr *message, union alert_control *control) {
    message->msg_control = control;
    message->msg_controllen = sizeof control->room;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_TLS;
    header->cmsg_type = TLS_SET_RECORD_TYPE;
    header->cmsg_len = CMSG_LEN(sizeof(unsigned char));
    *CMSG_DATA(header) = ALERT_RECORD;
    message->msg_controllen = header->cmsg_len;
}

ssize_t cposix_tls_alert(int fd, uint8_t level, uint8_t description) {
    uint8_t content[2] = {level, description};
    struct iovec part = {content, sizeof content};
    union alert_control control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    write_control(&message, &control);
    return cposix_size_result(sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static uint8_t close_notify_content[2] = {WARNING, CLOSE_NOTIFY};
static struct iovec close_notify_part = {close_notify_content, sizeof close_notify_content};
static union alert_control close_notify_control;
static struct msghdr close_notify;

static void make_close_notify(void) {
    close_notify.msg_iov = &close_notify_part;
    close_notify.msg_iovlen = 1;
    write_control(&close_notify, &close_notify_control);
}

const struct msghdr *cposix_tls_close_notify(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_close_notify);
    return &close_notify;
}

static int try_on(int listener, int client) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
        connect(client, (struct sockaddr *)&address, size) < 0) {
        return -errno;
    }
    struct tls12_crypto_info_aes_gcm_128 keys = {.info = {TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128}};
    return cposix_tls_encrypt(client, &keys, sizeof keys);
}

int cposix_tls_probe(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = listener < 0 || client < 0 ? -errno : try_on(listener, client);
    if (client >= 0) close(client);
    if (listener >= 0) close(listener);
    return result;
}

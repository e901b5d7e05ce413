// TLS in the kernel (tls(7) as it would be; Documentation/networking/tls.rst): what a socket is sent is encrypted by it.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// From now on the kernel makes records of what is sent on the connection. 0, or -errno: then it still sends what it is given as it is.
/// The connection has to be established.
///
/// - keys: one of the kernel's structs tls12_crypto_info_….
int cposix_tls_encrypt(int fd, const void *keys, size_t size);

/// Sends an alert (RFC 8446 §6) as a record of its own, if there is room for it at once: 2, or -errno.
ssize_t cposix_tls_alert(int fd, uint8_t level, uint8_t description);

/// A close_notify, as sendmsg(2) is to have it. It never changes.
const struct msghdr *cposix_tls_close_notify(void);

/// Whether the kernel would encrypt, found out with a connection to ourselves: 0, or -errno. ENOENT: it has no module for it, or must
/// not load it for this user.
int cposix_tls_probe(void);

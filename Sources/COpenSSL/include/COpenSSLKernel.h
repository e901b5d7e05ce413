// What a kernel needs to write a session's records in its place (TLS_TX): a cipher, a key, and the number of the next record.
//
// TLS 1.3 alone, with the ciphers that Linux has for it. No struct of OpenSSL's is looked into: the secret is what its log of keys
// tells, and the records are counted as it tells of each.
#ifndef COPENSSL_KERNEL_H
#define COPENSSL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct ssl_st;

/// Room for the largest of the kernel's structs.
enum { COPENSSL_KERNEL_KEYS = 56 };

/// Why there are none.
enum {
    /// It is no session of TLS 1.3, or its context was made before secrets were kept.
    COPENSSL_NO_SECRET = -1,
    /// The kernel has no such cipher.
    COPENSSL_OTHER_CIPHER = -2,
    /// They have been renewed since the handshake, or are about to be (RFC 8446 §4.6.3).
    COPENSSL_RENEWED_KEYS = -3
};

/// Sessions of contexts that are made from now on keep what `copenssl_kernel_keys` needs.
void copenssl_keep_secrets(void);

/// Writes the kernel's struct for what the session would write next: its size, or why not. From then on the session must write
/// nothing.
///
/// - keys: room for `COPENSSL_KERNEL_KEYS` bytes; secret.
int copenssl_kernel_keys(const struct ssl_st *session, uint8_t *keys);

/// The same for the record of a number (RFC 8446 §7.3).
///
/// - suite: as RFC 8446 appendix B.4 numbers it.
/// - secret: a traffic secret, as long as the suite's digest.
int copenssl_kernel_keys_of(unsigned suite, const uint8_t *secret, size_t size, uint64_t number, uint8_t *keys);

/// Whether the peer has asked for new keys and is yet to be answered, which has to be before it is sent anything else.
int copenssl_owes_new_keys(const struct ssl_st *session);

/// The description of the last alert that the session wrote; -1 if there was none, or nothing is kept.
int copenssl_last_alert(const struct ssl_st *session);

#endif

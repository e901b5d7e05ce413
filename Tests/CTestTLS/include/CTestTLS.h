// The other end of TLS for tests, a client's or a server's, that only turns bytes into bytes; and certificates of its own making.
#ifndef CTESTTLS_H
#define CTESTTLS_H

#include <stddef.h>
#include <stdint.h>

struct ctest_client;

/// Speaks versions `least` to `most` (10 to 13), asks for `host` and for the protocol `alpn`, unless they are NULL, and goes on with
/// the session of `earlier`, if there is one. `ciphers` NULL: OpenSSL's defaults.
struct ctest_client *ctest_client_make(
    int least, int most, const char *host, const char *alpn, const char *ciphers, struct ctest_client *earlier);
void ctest_client_free(struct ctest_client *client);

/// Shows this certificate, in PEM, if it is asked for one.
void ctest_client_certify(struct ctest_client *client, const char *certificate, const char *key);
/// Asks for an OCSP response (RFC 6066 §8).
void ctest_client_ask_status(struct ctest_client *client);
/// How many bytes of it have come, and these, if there is room for them.
size_t ctest_client_status(struct ctest_client *client, void *bytes, size_t size);

/// Bytes from the server.
void ctest_client_give(struct ctest_client *client, const void *bytes, size_t size);
/// Bytes for the server: how many.
size_t ctest_client_take(struct ctest_client *client, void *bytes, size_t size);

/// 1: done, 0: more has to come, -1: failed.
int ctest_client_handshake(struct ctest_client *client);
/// Above 0: so many bytes, 0: more has to come, -1: close_notify, -2: failed.
int ctest_client_read(struct ctest_client *client, void *bytes, size_t size);
int ctest_client_write(struct ctest_client *client, const void *bytes, size_t size);
void ctest_client_close(struct ctest_client *client);
/// Makes new keys for what it sends, and asks the server for as much (TLS 1.3).
int ctest_client_update_keys(struct ctest_client *client);

/// Writes a record of TLS 1.3 as it stands in no library, where there is room for `size`, `padding` and 22 bytes: of any type, any
/// content and so many zeros. Whoever does so writes all that follows the handshake in this way.
size_t ctest_client_record(
    struct ctest_client *client, int type, const void *bytes, size_t size, size_t padding, void *record);
/// The next records are made with the next keys.
void ctest_client_renew_keys(struct ctest_client *client);

/// Does what a kernel does with one of the structs of linux/tls.h: writes a record of TLS 1.3, so many after the first one that it is
/// for, where there is room for `size` and 22 bytes. How many bytes, or 0 if it is none of those.
size_t ctest_kernel_record(const void *keys, uint64_t number, int type, const void *bytes, size_t size, void *record);

/// 12, 13…
int ctest_client_version(const struct ctest_client *client);
int ctest_client_is_resumed(const struct ctest_client *client);
/// The common name of the certificate that was shown, and `EVP_PKEY_RSA` and so on as what it is.
int ctest_client_peer(const struct ctest_client *client, char *name, size_t size);
void ctest_client_protocol(const struct ctest_client *client, char *name, size_t size);
/// What OpenSSL says of the failure.
const char *ctest_client_error(const struct ctest_client *client);

/// The host that was asked for; empty: none was.
const char *ctest_client_host(const struct ctest_client *client);

struct ctest_server;

/// Speaks versions `least` to `most` and HTTP/1.1, if ALPN is used. Clients have to show a certificate that `client_authority` has
/// signed, unless it is NULL. All of it in PEM.
struct ctest_server *ctest_server_make(
    const char *certificate, const char *key, const char *client_authority, int least, int most);
/// What the ends that it makes from now on choose by ALPN instead, of 15 bytes at most; empty: nothing.
void ctest_server_speak(struct ctest_server *server, const char *protocol);
void ctest_server_give_no_tickets(struct ctest_server *server);
void ctest_server_free(struct ctest_server *server);
/// A server's end, for which the functions of clients are good as well.
struct ctest_client *ctest_server_accept(struct ctest_server *server);

enum { CTEST_RSA = 0, CTEST_ECDSA = 1, CTEST_ED25519 = 2, CTEST_SMALL_RSA = 3 };

/// A key in PEM, with a passphrase or without one (NULL); to be given back with `ctest_free`.
char *ctest_key(int kind, const char *passphrase);

/// A certificate in PEM that signs itself with the key, for the hosts in `names` (`a,b,*.c`, or addresses), the first its common name, or for its
/// common name alone. Valid from and to so many seconds from now.
char *ctest_certificate(const char *key, const char *names, int has_alternatives, long begin, long end);

/// The same with a number, signed by `issuer` and its key, or, where that is NULL, by itself; of who signs others, if it is an authority.
char *ctest_signed_certificate(
    const char *key, const char *names, const char *issuer, const char *issuer_key, int is_authority, long number,
    long begin, long end);

/// A list in PEM of revoked certificates that has one number, and no other; 0: none. Good for so many seconds.
char *ctest_revocations(const char *issuer, const char *issuer_key, long number, long end);

/// An OCSP response in DER that says that the certificate is good, or revoked, from and to so many seconds from now: how many bytes.
size_t ctest_response(
    const char *certificate, const char *issuer, const char *issuer_key, int is_revoked, long begin, long end, void *bytes,
    size_t size);
void ctest_free(void *text);

#endif

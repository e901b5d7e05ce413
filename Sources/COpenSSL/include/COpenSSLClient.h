// The client's side of TLS: what a server's certificate has to lead to, contexts, sessions, and tickets to take them up again by.
#ifndef COPENSSL_CLIENT_H
#define COPENSSL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct copenssl_io;
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

// MARK: - Roots

/// Certificates of authorities.
struct copenssl_roots;

/// Reads them in PEM; NULL and a problem, as `copenssl_certificate_read` has them, otherwise.
struct copenssl_roots *copenssl_roots_read(const void *bytes, size_t size, int *problem);

/// Those of the system, where OpenSSL looks for them: in one file, and in a directory by its names there.
struct copenssl_roots *copenssl_roots_system(int *problem);
const char *copenssl_roots_file(void);
const char *copenssl_roots_directory(void);
void copenssl_roots_free(struct copenssl_roots *roots);

/// The same for the same certificates, in whatever order.
void copenssl_roots_digest(const struct copenssl_roots *roots, uint8_t digest[32]);

// MARK: - Contexts

/// What clients' sessions begin with. Any thread may begin some once it is made.
///
/// - min_version: 12 or 13.
/// - roots: what a server's certificate has to lead to; NULL: whoever answers is taken for who was asked.
struct ssl_ctx_st *copenssl_client_context_make(int min_version, const struct copenssl_roots *roots);

// MARK: - Sessions

/// A client's session that has not begun, NULL without memory. `io` outlives it, or `copenssl_session_move` gives it another one.
///
/// - host: what the certificate has to be for; an address, which SNI does not name, if `is_address`.
/// - protocols: what ALPN offers, each behind its size; nothing if there are none.
/// - ticket: of an earlier session to go on with; NULL: none.
struct ssl_st *copenssl_client_session_make(
    struct ssl_ctx_st *context, struct copenssl_io *io, const char *host, int is_address,
    const unsigned char *protocols, size_t protocols_size, struct ssl_session_st *ticket);

/// From now on it reads from and writes to another `io`, perhaps of another thread.
void copenssl_session_move(struct ssl_st *session, struct copenssl_io *io);

// MARK: - Tickets

/// Whether more than one session may go on with it: not of TLS 1.3 (RFC 8446 appendix C.4).
int copenssl_ticket_is_lasting(const struct ssl_session_st *ticket);
void copenssl_ticket_free(struct ssl_session_st *ticket);

#endif

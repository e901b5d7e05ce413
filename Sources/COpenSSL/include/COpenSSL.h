// TLS by OpenSSL 3.0 (libssl, libcrypto): certificates, contexts, and sessions that read from and write to memory of the caller's.
// No sockets, nothing blocks, and nothing of OpenSSL's headers is needed to use it. What only a client has is in COpenSSLClient.h.
#ifndef COPENSSL_H
#define COPENSSL_H

#include <stddef.h>
#include <stdint.h>

// MARK: - Certificates

/// A certificate, those that lead from it to a root, and its key.
struct copenssl_certificate;

/// What is wrong with what was read.
enum {
    COPENSSL_OUT_OF_MEMORY = 1,
    /// No certificate in PEM.
    COPENSSL_NO_CERTIFICATE = 2,
    /// A certificate in PEM that cannot be read.
    COPENSSL_BAD_CERTIFICATE = 3,
    COPENSSL_NO_KEY = 4,
    COPENSSL_BAD_KEY = 5,
    /// It would take a passphrase.
    COPENSSL_ENCRYPTED_KEY = 6,
    /// The key is another certificate's.
    COPENSSL_OTHER_KEY = 7,
    /// Neither RSA nor ECDSA nor EdDSA.
    COPENSSL_UNKNOWN_KIND = 8,
    /// No list of revoked certificates in PEM, or one that cannot be read.
    COPENSSL_BAD_REVOCATIONS = 9,
    /// A newer list should have come.
    COPENSSL_OLD_REVOCATIONS = 10,
    /// No OCSP response in DER.
    COPENSSL_BAD_RESPONSE = 11,
    /// One that says that there is none.
    COPENSSL_FAILED_RESPONSE = 12,
    /// One for other certificates.
    COPENSSL_OTHER_RESPONSE = 13,
    /// One that says that the certificate was revoked.
    COPENSSL_REVOKED_RESPONSE = 14,
    /// One that is not valid yet, or no longer.
    COPENSSL_OLD_RESPONSE = 15
};

/// What signs: of each kind a context has one certificate.
enum { COPENSSL_RSA = 0, COPENSSL_ECDSA = 1, COPENSSL_EDDSA = 2 };

/// Reads a certificate, with the rest of its chain behind it, and its key, all in PEM; NULL and a problem otherwise.
struct copenssl_certificate *copenssl_certificate_read(
    const void *chain, size_t chain_size, const void *key, size_t key_size, int *problem);
void copenssl_certificate_free(struct copenssl_certificate *certificate);

int copenssl_certificate_kind(const struct copenssl_certificate *certificate);

/// Whether it is valid now: 0, or below if it is not yet, above if it is no longer.
int copenssl_certificate_age(const struct copenssl_certificate *certificate);

/// When it begins and ends to be valid, as `YYYY-MM-DD HH:MM:SS UTC`.
void copenssl_certificate_times(const struct copenssl_certificate *certificate, char begin[32], char end[32]);

/// The same for the same certificate and chain: SHA-256.
void copenssl_certificate_digest(const struct copenssl_certificate *certificate, uint8_t digest[32]);

/// The end in seconds since 1970; 0 if it cannot be told.
int64_t copenssl_certificate_end(const struct copenssl_certificate *certificate);

/// Staples an OCSP response, in DER, to a certificate that none is stapled to: clients that ask for it are shown it, as long as it is
/// valid. 0, or the problem with it. Its signature is the client's to check.
int copenssl_certificate_staple(struct copenssl_certificate *certificate, const void *bytes, size_t size);

/// The hosts that it is for, in lower case, `*.` before those of which it is for all that are a label longer: of its subject
/// alternative names, or, if there is none, its common name. NULL behind the last one.
const char *copenssl_certificate_name(const struct copenssl_certificate *certificate, size_t index);

/// Overwrites what was secret.
void copenssl_cleanse(void *bytes, size_t size);

// MARK: - Clients' certificates

/// What certificates of clients are checked by.
struct copenssl_clients;

/// Reads who is trusted to have signed them, and lists of those that were revoked, if `revocations` is not NULL: there has to be one
/// of each issuer then. All in PEM. NULL and a problem otherwise.
struct copenssl_clients *copenssl_clients_read(
    const void *roots, size_t roots_size, const void *revocations, size_t revocations_size, int *problem);
void copenssl_clients_free(struct copenssl_clients *clients);

// MARK: - Ticket keys

/// Keys of session tickets, shared by contexts: a session that began in one goes on in another. Any thread begins sessions while
/// another one changes them.
struct copenssl_tickets;

/// How many keys there are at most, and the size of one: 48 or 80 and seven zeros, then so many bytes as nginx has them (a name, and
/// two keys), and zeros.
enum { COPENSSL_TICKETS = 8, COPENSSL_TICKET_KEY = 88 };

/// Without a key; NULL without memory.
struct copenssl_tickets *copenssl_tickets_make(void);
void copenssl_tickets_free(struct copenssl_tickets *tickets);

/// From now on tickets are sealed with the first of these keys, and taken with each. By one thread at a time.
void copenssl_tickets_set(struct copenssl_tickets *tickets, const uint8_t *keys, size_t count);

// MARK: - Contexts

/// What sessions begin with. Any thread may begin some once it is made.
struct ssl_ctx_st;

/// A server's context without certificates; NULL without memory. ALPN is not answered.
///
/// - min_version: 12 or 13.
struct ssl_ctx_st *copenssl_context_make(int min_version);
void copenssl_context_free(struct ssl_ctx_st *context);

/// Where ALPN asks (RFC 7301), HTTP/1.1 or 1.0 is spoken, or, before these, HTTP/2.
void copenssl_context_speak_http(struct ssl_ctx_st *context, int speaks_http2);

/// Which ciphers are taken in TLS 1.2; 0 if none is known by this text.
int copenssl_context_set_ciphers(struct ssl_ctx_st *context, const char *ciphers);
/// The same for TLS 1.3.
int copenssl_context_set_suites(struct ssl_ctx_st *context, const char *suites);

/// Adds a certificate; one of its kind that it has already goes. 0 if it is not good enough: `copenssl_error_text` tells why.
int copenssl_context_add(struct ssl_ctx_st *context, const struct copenssl_certificate *certificate);

/// Sessions of one context do not go on in another one that has another identity: up to 32 bytes.
void copenssl_context_set_identity(struct ssl_ctx_st *context, const void *identity, size_t size);

/// Gives tickets by these keys, which it holds on to; NULL: gives none, and takes none. 0 without memory.
int copenssl_context_set_tickets(struct ssl_ctx_st *context, struct copenssl_tickets *tickets);

/// Asks clients for a certificate that leads to one of the roots, with at most `depth` others between them. 0 without memory.
int copenssl_context_set_clients(
    struct ssl_ctx_st *context, const struct copenssl_clients *clients, int depth, int is_required);

/// Contexts that are made from now on write the secrets of their sessions into a file (NSS key log format).
void copenssl_log_keys(int descriptor);

/// Handshakes that begin with `context` and ask for this name, as `copenssl_certificate_name` writes it, go on with `other`, which
/// may be itself. The first context for a name stays. 0 without memory.
int copenssl_context_add_name(struct ssl_ctx_st *context, const char *name, struct ssl_ctx_st *other);

/// What handshakes that ask for a host go on with: the one for its name, the one for all names beside it, or `context`.
struct ssl_ctx_st *copenssl_context_find(struct ssl_ctx_st *context, const char *host);

/// Writes what OpenSSL says of the last failure, and forgets it.
void copenssl_error_text(char *text, size_t size);

// MARK: - Sessions

/// Tickets at most that are kept of one call.
enum { COPENSSL_NEW_TICKETS = 4 };

/// What calls with a session read from and write to.
struct copenssl_io {
    const uint8_t *in;
    /// Not read yet.
    size_t in_size;
    uint8_t *out;
    size_t out_size;
    /// Written so far.
    size_t out_used;
    /// What a client's session was given to be taken up again by, the newest last, and nobody has taken from here yet.
    struct ssl_session_st *tickets[COPENSSL_NEW_TICKETS];
    size_t ticket_count;
};

/// Results below zero.
enum {
    /// More has to come.
    COPENSSL_WANTS_INPUT = -1,
    /// What it has written has to be taken away, or there has to be more room for it.
    COPENSSL_WANTS_ROOM = -2,
    /// The peer has closed its side: its close_notify has come.
    COPENSSL_ENDED = -3,
    /// The peer has sent a fatal alert.
    COPENSSL_ALERTED = -4,
    /// There is no version, cipher, group or protocol that both sides take.
    COPENSSL_INCOMPATIBLE = -5,
    /// What the peer sent is not TLS, or not as it has to be.
    COPENSSL_FAILED = -6,
    /// The peer showed no certificate, where it has to.
    COPENSSL_NO_PEER = -7,
    /// One that is not valid yet, or no longer.
    COPENSSL_OLD_PEER = -8,
    COPENSSL_REVOKED_PEER = -9,
    /// One that leads to no root, or is not for this.
    COPENSSL_UNKNOWN_PEER = -10,
    /// One that is for another host.
    COPENSSL_OTHER_PEER = -11
};

/// One end of a TLS connection.
struct ssl_st;

/// A server's session that has not begun, NULL without memory. `io` outlives it.
struct ssl_st *copenssl_session_make(struct ssl_ctx_st *context, struct copenssl_io *io);
void copenssl_session_free(struct ssl_st *session);

/// Goes on with the handshake: 1 when it is over.
int copenssl_handshake(struct ssl_st *session);

/// Decrypts into `bytes`: at most one record, and no more bytes than were read for it from `in`, in this call or before.
int copenssl_read(struct ssl_st *session, void *bytes, size_t size);

/// Encrypts up to 16 KiB as one record, if there is room for 16 KiB and `COPENSSL_OVERHEAD` bytes.
int copenssl_write(struct ssl_st *session, const void *bytes, size_t size);

/// Writes a close_notify.
int copenssl_close(struct ssl_st *session);

/// Bytes that are decrypted and not read yet.
size_t copenssl_pending(const struct ssl_st *session);

/// Whether HTTP/2 is what both sides have agreed on.
int copenssl_chose_http2(const struct ssl_st *session);

/// Whether the handshake went on with an earlier session.
int copenssl_is_resumed(const struct ssl_st *session);

// What a session says of itself, after its handshake.
enum {
    /// Which host the client has asked for (SNI).
    COPENSSL_SESSION_HOST = 0,
    /// What was agreed on by ALPN.
    COPENSSL_SESSION_PROTOCOL = 1,
    COPENSSL_SESSION_VERSION = 2,
    COPENSSL_SESSION_CIPHER = 3
};

/// A text about the session, good as long as it is; NULL if there is none.
const uint8_t *copenssl_session_text(const struct ssl_st *session, int text, size_t *size);

// What a peer's certificate says.
enum {
    /// RFC 2253.
    COPENSSL_PEER_SUBJECT = 0,
    COPENSSL_PEER_ISSUER = 1,
    /// Hexadecimal, in capitals.
    COPENSSL_PEER_SERIAL = 2,
    /// SHA-256, hexadecimal, in small letters.
    COPENSSL_PEER_FINGERPRINT = 3,
    /// All of it, as the field Client-Cert has it (RFC 9440).
    COPENSSL_PEER_FIELD = 4,
    /// The subject's, in UTF-8.
    COPENSSL_PEER_COMMON_NAME = 5,
    COPENSSL_PEER_TEXTS = 6
};

/// Whether the peer has shown a certificate: it was checked then.
int copenssl_has_peer(const struct ssl_st *session);

/// A text about the peer's certificate, good as long as the session; NULL if there is none. Written when it is first asked for.
const uint8_t *copenssl_peer_text(struct ssl_st *session, int text, size_t *size);

/// Bytes of a record that are not its content, at most: header, explicit nonce, padding and code of TLS 1.2, rounded up.
enum { COPENSSL_OVERHEAD = 128 };

#include "COpenSSLClient.h"
#include "COpenSSLKernel.h"

#endif

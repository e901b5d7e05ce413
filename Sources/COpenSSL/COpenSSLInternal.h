// What both sides of TLS have in common.
#ifndef COPENSSL_INTERNAL_H
#define COPENSSL_INTERNAL_H

#include "COpenSSL.h"

#include <openssl/ssl.h>

/// Sets OpenSSL up, once; 0 without memory.
int copenssl_is_set_up(void);

/// What COpenSSLKernel.c needs, once; 0 without memory.
int copenssl_set_up_kernel(void);

/// Keeps the secret that a line of the log of keys tells, if it is the one that a session's own records are made with.
void copenssl_hear_secret(const SSL *session, const char *line);

/// Counts the records of the context's sessions, if secrets are to be kept: whether they are.
int copenssl_hear_messages(SSL_CTX *context);

/// What holds for the sessions of every context.
void copenssl_set_modes(SSL_CTX *context);

/// Reads certificates in PEM to the end, and gives each away to `take`, which answers 0 if it cannot have it. 0, or a problem: that
/// there are none is none.
int copenssl_read_certificates(BIO *bio, int (*take)(void *to, X509 *certificate), void *to);

/// A session of neither side yet, NULL without memory.
SSL *copenssl_session_begin(SSL_CTX *context, struct copenssl_io *io);

#endif

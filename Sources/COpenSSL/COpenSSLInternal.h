// What both sides of TLS have in common.
#ifndef COPENSSL_INTERNAL_H
#define COPENSSL_INTERNAL_H

#include "COpenSSL.h"

#include <openssl/ssl.h>

/// Sets OpenSSL up, once; 0 without memory.
int copenssl_is_set_up(void);

/// What holds for the sessions of every context.
void copenssl_set_modes(SSL_CTX *context);

/// The certificate itself.
X509 *copenssl_leaf(const struct copenssl_certificate *certificate);
STACK_OF(X509) * copenssl_chain(const struct copenssl_certificate *certificate);

/// A session of neither side yet, NULL without memory.
SSL *copenssl_session_begin(SSL_CTX *context, struct copenssl_io *io);

#endif

// What checks credentials: SHA-256 and comparison in constant time of OpenSSL's libcrypto, and the system's crypt(3).
#ifndef CCRYPT_H
#define CCRYPT_H

#include <stddef.h>
#include <stdint.h>

/// The digest of two pieces, one behind the other.
void ccrypt_sha256(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t digest[32]);

/// The same by SHA-1: for what asks for it by name, and for nothing that has to be secret.
void ccrypt_sha1(const void *first, size_t first_size, const void *second, size_t second_size, uint8_t digest[20]);

/// 1 if they are the same, found out in a time that does not depend on what they are.
int ccrypt_equal(const void *a, const void *b, size_t size);

/// 1 if crypt(3) knows the method of a hash.
int ccrypt_knows(const char *hash);

/// 1 if the phrase has this hash. Takes as long as the hash wants: milliseconds, or more.
int ccrypt_verify(const char *phrase, const char *hash);

#endif

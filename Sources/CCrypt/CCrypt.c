// The low-level functions allocate nothing and look nothing up, which EVP does for each digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#define _GNU_SOURCE
#include "CCrypt.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

void ccrypt_sha256(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t digest[32]) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, first, first_size);
    SHA256_Update(&context, second, second_size);
    SHA256_Final(digest, &context);
}

void ccrypt_sha1(const void *first, size_t first_size, const void *second, size_t second_size, uint8_t digest[20]) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, first, first_size);
    SHA1_Update(&context, second, second_size);
    SHA1_Final(digest, &context);
}

int ccrypt_equal(const void *a, const void *b, size_t size) { return CRYPTO_memcmp(a, b, size) == 0; }

int ccrypt_knows(const char *hash) {
    int verdict = crypt_checksalt(hash);
    // "Legacy" is what it calls $5$ too.
    return verdict != CRYPT_SALT_INVALID && verdict != CRYPT_SALT_METHOD_DISABLED;
}

int ccrypt_verify(const char *phrase, const char *hash) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL) return 0;
    const char *found = crypt_r(phrase, hash, data);
    size_t size = strlen(hash);
    int is_same = found != NULL && found[0] != '*' && strlen(found) == size && ccrypt_equal(found, hash, size);
    explicit_bzero(data, sizeof *data);
    free(data);
    return is_same;
}

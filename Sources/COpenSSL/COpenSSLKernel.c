#include "COpenSSLInternal.h"

#include <linux/tls.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int keeps_secrets;
static int secrets_index = -1;
// Looked for once: to find one takes a lock.
static EVP_KDF *expansion;

struct secrets {
    // What our side's records are made with.
    uint8_t secret[EVP_MAX_MD_SIZE];
    size_t size;
    // How many of them there are.
    uint64_t written;
    int is_renewed;
    int alert;
};

static void free_secrets(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *argument) {
    (void)parent, (void)data, (void)index, (void)number, (void)argument;
    OPENSSL_clear_free(pointer, sizeof(struct secrets));
}

int copenssl_set_up_kernel(void) {
    secrets_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_secrets);
    expansion = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    // Without the expansion there are no keys, and all else goes on.
    return secrets_index >= 0;
}

void copenssl_keep_secrets(void) { atomic_store(&keeps_secrets, 1); }

// MARK: - Keeping

void copenssl_hear_secret(const SSL *session, const char *line) {
    static const char server_label[] = "SERVER_TRAFFIC_SECRET_0 ", client_label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    const char *label = SSL_is_server(session) ? server_label : client_label;
    const char *text = strrchr(line, ' ');
    if (strncmp(line, label, sizeof server_label - 1) != 0 || !text) return;
    struct secrets *secrets = OPENSSL_zalloc(sizeof *secrets);
    if (!secrets) return;
    // It is told when the first record is about to be made with it: the count begins here.
    secrets->alert = -1;
    if (!OPENSSL_hexstr2buf_ex(secrets->secret, sizeof secrets->secret, &secrets->size, text + 1, 0) ||
        SSL_get_ex_data(session, secrets_index) || !SSL_set_ex_data((SSL *)session, secrets_index, secrets)) {
        OPENSSL_clear_free(secrets, sizeof *secrets);
    }
}

static void hear_message(
    int is_written, int version, int type, const void *bytes, size_t size, SSL *session, void *argument) {
    (void)version, (void)argument;
    struct secrets *secrets = is_written ? SSL_get_ex_data(session, secrets_index) : NULL;
    if (!secrets) return;
    const uint8_t *content = bytes;
    switch (type) {
    case SSL3_RT_HEADER: secrets->written++; break;
    case SSL3_RT_HANDSHAKE:
        if (size > 0 && content[0] == SSL3_MT_KEY_UPDATE) secrets->is_renewed = 1;
        break;
    case SSL3_RT_ALERT:
        if (size > 1) secrets->alert = content[1];
        break;
    default: break;
    }
}

int copenssl_hear_messages(SSL_CTX *context) {
    int keeps = atomic_load(&keeps_secrets);
    if (keeps) SSL_CTX_set_msg_callback(context, hear_message);
    return keeps;
}

int copenssl_last_alert(const SSL *session) {
    const struct secrets *secrets = SSL_get_ex_data(session, secrets_index);
    return secrets ? secrets->alert : -1;
}

// MARK: - Keys

// HKDF-Expand-Label without a context (RFC 8446 §7.1).
static int expand(
    const char *digest, const uint8_t *secret, size_t size, const char *label, uint8_t *result, size_t result_size) {
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (void *)label, strlen(label)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *context = expansion ? EVP_KDF_CTX_new(expansion) : NULL;
    int is_done = context && EVP_KDF_derive(context, result, result_size, parameters) == 1;
    EVP_KDF_CTX_free(context);
    ERR_clear_error();
    return is_done;
}

static void write_number(uint8_t *bytes, uint64_t number) {
    for (int index = 0; index < 8; index++) bytes[index] = (uint8_t)(number >> (56 - 8 * index));
}

static uint8_t *append(uint8_t *end, const void *bytes, size_t size) {
    memcpy(end, bytes, size);
    return end + size;
}

int copenssl_kernel_keys_of(unsigned suite, const uint8_t *secret, size_t size, uint64_t number, uint8_t *keys) {
    _Static_assert(sizeof(struct tls12_crypto_info_aes_gcm_128) == 40, "linux/tls.h");
    _Static_assert(offsetof(struct tls12_crypto_info_aes_gcm_256, salt) == 44, "linux/tls.h");
    _Static_assert(sizeof(struct tls12_crypto_info_aes_gcm_256) == COPENSSL_KERNEL_KEYS, "linux/tls.h");
    _Static_assert(offsetof(struct tls12_crypto_info_chacha20_poly1305, rec_seq) == 48, "linux/tls.h");
    _Static_assert(sizeof(struct tls12_crypto_info_chacha20_poly1305) == COPENSSL_KERNEL_KEYS, "linux/tls.h");
    const char *digest = suite == 0x1302 ? "SHA384" : "SHA256";
    size_t key_size = suite == 0x1301 ? 16 : 32;
    uint8_t key[32], iv[12];
    if (suite < 0x1301 || suite > 0x1303) return COPENSSL_OTHER_CIPHER;
    if (!copenssl_is_set_up() || size != (suite == 0x1302 ? 48 : 32) ||
        !expand(digest, secret, size, "key", key, key_size) || !expand(digest, secret, size, "iv", iv, sizeof iv)) {
        OPENSSL_cleanse(key, sizeof key);
        return COPENSSL_NO_SECRET;
    }
    // The structs differ in sizes alone: what they are for, the vector (whose first bytes AES calls salt, and has behind the key), the
    // key, and the number.
    int is_chacha = suite == 0x1303;
    size_t salt_size = is_chacha ? 0 : TLS_CIPHER_AES_GCM_128_SALT_SIZE;
    struct tls_crypto_info info = {
        TLS_1_3_VERSION, suite == 0x1301   ? TLS_CIPHER_AES_GCM_128
                         : suite == 0x1302 ? TLS_CIPHER_AES_GCM_256
                                           : TLS_CIPHER_CHACHA20_POLY1305};
    uint8_t *end = keys;
    memset(keys, 0, COPENSSL_KERNEL_KEYS);
    end = append(end, &info, sizeof info);
    end = append(end, iv + salt_size, sizeof iv - salt_size);
    end = append(end, key, key_size);
    end = append(end, iv, salt_size);
    write_number(end, number);
    int result = (int)(end + 8 - keys);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(iv, sizeof iv);
    return result;
}

int copenssl_owes_new_keys(const SSL *session) { return SSL_get_key_update_type(session) != SSL_KEY_UPDATE_NONE; }

int copenssl_kernel_keys(const SSL *session, uint8_t *keys) {
    const struct secrets *secrets = SSL_get_ex_data(session, secrets_index);
    if (!secrets || SSL_version(session) != TLS1_3_VERSION || SSL_in_init(session)) return COPENSSL_NO_SECRET;
    if (secrets->is_renewed || copenssl_owes_new_keys(session)) return COPENSSL_RENEWED_KEYS;
    unsigned suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(session));
    return copenssl_kernel_keys_of(suite, secrets->secret, secrets->size, secrets->written, keys);
}

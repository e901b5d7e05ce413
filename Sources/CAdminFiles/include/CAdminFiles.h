// What the admin listener serves as it stands in files beside CAdminFiles.c: the status page, and its API's description in OpenAPI 3.1. So
// they are as editors and browsers know them, and in the binary without a build chain of their own.
#pragma once
#include <stddef.h>

/// A file's bytes, which are UTF-8 and stay where they are.
typedef struct {
    const unsigned char *bytes;
    size_t size;
} cadminfiles_file;

cadminfiles_file cadminfiles_page(void);
cadminfiles_file cadminfiles_script(void);
cadminfiles_file cadminfiles_style(void);
cadminfiles_file cadminfiles_api(void);

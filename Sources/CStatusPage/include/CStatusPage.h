// The status page's files as they stand beside CStatusPage.c: as editors and browsers know them, and in the binary without a build chain
// of their own.
#pragma once
#include <stddef.h>

/// A file's bytes, which are UTF-8 and stay where they are.
typedef struct {
    const unsigned char *bytes;
    size_t size;
} cstatuspage_file;

cstatuspage_file cstatuspage_page(void);
cstatuspage_file cstatuspage_script(void);
cstatuspage_file cstatuspage_style(void);

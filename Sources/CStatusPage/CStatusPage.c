#include "CStatusPage.h"

// C23's #embed costs no time to compile, as a Swift literal of so many numbers would, and what is
// built anew when one of the files changes is this object alone.
#ifndef __has_embed
#error "the status page's files come in by #embed, which clang has from version 19 on"
#endif
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page[] = {
#embed "status.html"
};
static const unsigned char script[] = {
#embed "status.js"
};
static const unsigned char style[] = {
#embed "status.css"
};

cstatuspage_file cstatuspage_page(void) { return (cstatuspage_file){page, sizeof page}; }
cstatuspage_file cstatuspage_script(void) { return (cstatuspage_file){script, sizeof script}; }
cstatuspage_file cstatuspage_style(void) { return (cstatuspage_file){style, sizeof style}; }

#include "CAdminFiles.h"

// C23's #embed costs no time to compile, as a Swift literal of so many numbers would, and what is
// built anew when one of the files changes is this object alone.
#ifndef __has_embed
#error "the admin listener's files come in by #embed, which clang has from version 19 on"
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
static const unsigned char api[] = {
#embed "openapi.json"
};

cadminfiles_file cadminfiles_page(void) { return (cadminfiles_file){page, sizeof page}; }
cadminfiles_file cadminfiles_script(void) { return (cadminfiles_file){script, sizeof script}; }
cadminfiles_file cadminfiles_style(void) { return (cadminfiles_file){style, sizeof style}; }
cadminfiles_file cadminfiles_api(void) { return (cadminfiles_file){api, sizeof api}; }

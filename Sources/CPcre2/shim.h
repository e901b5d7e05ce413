// PCRE2 for bytes: the regular expressions of routes. Its functions bear the width in their names (pcre2_match_8).
#define PCRE2_CODE_UNIT_WIDTH 8
#include <sys/types.h>
#include <sys/select.h>
#include <pcre2.h>

// c-ares: asynchronous DNS. The resolver thread alone uses it.
#include <sys/types.h>
#include <sys/select.h>
#include <ares.h>

/* say.c - one line on stderr for whatever failed: what, on what, why. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

int say_failed(const char *on, const char *why, const char *what, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, what);
    vsnprintf(line, sizeof(line), what, ap);
    va_end(ap);
    fprintf(stderr, "netns: %s: %s: %s\n", line, on, why);
    return -1;
}

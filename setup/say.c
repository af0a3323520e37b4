/* say.c - one line on stderr for whatever failed: what, on what, why. */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

int say_refused(const char *on, int err, const char *what)
{
    char why[256];
    bool rights = err == EPERM || err == EACCES || err == EROFS;
    snprintf(why, sizeof(why), "%s%s", strerror(err), rights ? "; " SAY_REMEDY : "");
    return say_failed(on, why, "%s", what);
}

int say_usage(const char *what, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, what);
    vsnprintf(line, sizeof(line), what, ap);
    va_end(ap);
    fprintf(stderr, "netns: usage: %s: see ./setup/netns.sh --help\n", line);
    return 2;
}

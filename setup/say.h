/* say.h - how the program speaks of what went wrong. */
#ifndef NETNS_SAY_H
#define NETNS_SAY_H

/* How to go on where the caller's rights are not enough. */
#define SAY_REMEDY                                                                                 \
    "run as root, or use a private lab, which needs no root: ./setup/netns.sh run CMD"

/* Prints "netns: what failed: on what: why" on stderr. Always -1, to be returned. */
int say_failed(const char *on, const char *why, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an errno; where it means that the rights are missing, with the remedy. */
int say_refused(const char *on, int err, const char *what);

/* Wrong usage: prints what is wrong, and where to read. Always 2, the exit status. */
int say_usage(const char *what, ...) __attribute__((format(printf, 1, 2)));

#endif

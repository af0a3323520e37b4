/* How far a transfer is: a line on standard error that is drawn again a few times a second, where
 * that is a terminal; and the result on standard output. For fileclient and fileserver. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct progress {
    bool terminal, drawn;
    int64_t total; /* octets; -1: not known */
    int64_t done;
    struct timespec begun, shown;
};

/* Time counts from here. */
void progress_begin(struct progress *p, int64_t total);

/* So many octets more have gone. */
void progress_add(struct progress *p, size_t octets);

/* Takes the line away. To be called before anything else is said. Keeps errno. */
void progress_clear(struct progress *p);

/* Prints "WHAT N octets in N s, N MB/s". */
void progress_result(struct progress *p, const char *what);

#endif

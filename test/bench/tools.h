/*
 * What all programs here need.
 */
#ifndef TOOLS_H
#define TOOLS_H

#include <stddef.h>
#include <stdint.h>

/* perror(3), and the end, with status 1. */
_Noreturn void die(const char *what);

/* Zeroed; dies without memory. */
void *must_alloc(size_t len);

uint64_t now_ns(void);
double cpu_s(void); /* of this process, user and system, so far */

#endif

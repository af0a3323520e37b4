/*
 * Objects of one size in memory of their own, mapped in pieces of 64 KiB. A piece in which none is
 * left goes back to the kernel, all but one. Not thread-safe.
 *
 * What comes and goes by the thousand would otherwise lie between what stays, and leave holes there
 * that nobody can give back.
 */
#ifndef SLAB_H
#define SLAB_H

#include <stddef.h>

#include "list.h"

struct slab {
    struct list with_room; /* pieces */
    size_t size;           /* octets of an object */
};

/* size: at most 8 KiB. */
void slab_init(struct slab *s, size_t size);

/* Unmaps what is kept. Every object has been freed. */
void slab_finish(struct slab *s);

/* Aligned as malloc's; NULL: there is no memory. */
void *slab_alloc(struct slab *s);
void slab_free(struct slab *s, void *ptr);

#endif

/*
 * The memory a simulated host gives its engine: malloc with guards. Refuses at random, fills new
 * blocks with garbage (the engine is told that they need not be zeroed), fails when a block comes
 * back with another size or is written beyond its end, and can free all that is left. What happens
 * to it can be undone: with its memory the whole engine is what it was.
 */
#ifndef SIMMEM_H
#define SIMMEM_H

#include "list.h"
#include "mem.h"
#include "rng.h"

struct simmem {
    struct mem mem; /* for the engine */
    struct list blocks;
    struct rng *rng;
    uint32_t refuse_ppm; /* how often an allocation is refused */
    uint64_t refused;    /* how often that happened */
    size_t used;         /* octets in blocks, by our own account */

    uint8_t *saved;    /* what was in the blocks; NULL: nothing is saved */
    size_t saved_used; /* and in use */
    struct list freed; /* blocks of then that were freed since */
};

void simmem_init(struct simmem *m, struct rng *rng, size_t limit);

/* Frees what is left; how many octets that was. */
size_t simmem_finish(struct simmem *m);

/* used of the engine's account and ours agree, and lie within the limit. */
void simmem_check(const struct simmem *m);

/* All blocks with what they hold are saved; then again and again as they were; then no more, as
 * they were when they were last restored. */
void simmem_save(struct simmem *m);
void simmem_restore(struct simmem *m);
void simmem_forget(struct simmem *m);

#endif

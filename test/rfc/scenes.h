/* Connections in each of the eleven states, told to the engine (the ladder of segments.h) and to
 * the oracle alike. */
#ifndef SCENES_H
#define SCENES_H

#include "oracle.h"

#define SCENE_WND      300   /* our receive window */
#define SCENE_PEER_WND 10000 /* the peer's */
#define SCENE_MSS      100   /* both ends' */

/* What all scenes begin with. */
struct scene_numbers {
    const char *name;
    uint32_t iss, irs;
};

extern struct scene_numbers scene_numbers;

struct scene {
    const char *name;
    void (*build)(struct rfc_tcb *t); /* t is all zeros before */
};

extern const struct scene scenes[];
extern const unsigned n_scenes;

#endif

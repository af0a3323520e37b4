/* Connections in each of the eleven states, told to the engine (the ladder of segments.h) and to
 * the oracle alike. */
#ifndef SCENES_H
#define SCENES_H

#include "oracle.h"

#define SCENE_WND      3000  /* our receive window */
#define SCENE_PEER_WND 10000 /* the peer's */
#define SCENE_MSS      1000  /* both ends' */

struct scene {
    const char *name;
    void (*build)(struct rfc_tcb *t); /* t is all zeros before */
};

extern const struct scene scenes[];
extern const unsigned n_scenes;

#endif

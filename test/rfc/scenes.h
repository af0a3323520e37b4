/* Connections in each of the eleven states, told to the engine (the ladder of segments.h) and to
 * the oracle alike. */
#ifndef SCENES_H
#define SCENES_H

#include "oracle.h"

#define SCENE_WND      300   /* our receive window */
#define SCENE_PEER_WND 10000 /* the peer's */
#define SCENE_MSS      100   /* both ends' */
#define SCENE_TEXT_MAX 400   /* of a segment that arrives */

/* What all scenes begin with. */
struct scene_numbers {
    const char *name;
    uint32_t iss, irs;
    bool sack; /* both ends permit it (RFC 2018) */
};

extern struct scene_numbers scene_numbers;
extern bool scene_stamped; /* both have agreed on timestamps */
extern bool scene_ecn;     /* and on ECN */

/* Kinds of OPEN (3.10.1) that lead to a scene. */
enum {
    SCENE_ACTIVE = 1,
    SCENE_PASSIVE = 2,
};

struct scene {
    const char *name;
    void (*build)(struct rfc_tcb *t); /* t is all zeros before, but for t->passive */
    unsigned ways;
};

extern const struct scene scenes[];
extern const unsigned n_scenes;

#endif

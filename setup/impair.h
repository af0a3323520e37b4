/* impair.h - what a forwarder can be told to do to the packets, and what it has done. */
#ifndef NETNS_IMPAIR_H
#define NETNS_IMPAIR_H

#include "topology.h"

#include <stdbool.h>
#include <stdint.h>

/* The unit of a probability: one in a million. */
#define IMPAIR_WHOLE 1000000

/* A direction is the link that the packet leaves the router by: LEFT is towards host1. */
struct impair_settings {
    uint64_t seed;
    uint32_t loss;            /* probability, of IMPAIR_WHOLE */
    bool towards[TOPO_LINKS]; /* the directions in which packets are impaired */
};

struct impair_counters {
    uint64_t packets[TOPO_LINKS]; /* of at most the MTU, since the settings were made */
    uint64_t lost[TOPO_LINKS];    /* of these, on purpose */
    uint64_t overflow; /* dropped because they came faster than the forwarder took them */
};

struct impair_state {
    struct impair_settings settings;
    struct impair_counters counters;
};

/* The command `impair`, argv[0] being that word. Returns the exit status. */
int impair_command(int argc, char **argv);

/* "loss 20% to host1, seed 7" */
#define IMPAIR_TEXT_MAX 128
void impair_describe(const struct impair_settings *settings, char text[IMPAIR_TEXT_MAX]);

/* The node that packets of this direction go to. */
const char *impair_goal(int direction);

#endif

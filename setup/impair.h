/* impair.h - what a forwarder can be told to do to the packets, and what it has done. */
#ifndef NETNS_IMPAIR_H
#define NETNS_IMPAIR_H

#include "topology.h"

#include <stdbool.h>
#include <stdint.h>

/* What is done to the packets of one direction. All zero: nothing. Shares are of UNITS_WHOLE. */
struct impair_way {
    bool on;         /* these were given for this direction */
    bool black_hole; /* of packets above the MTU; else they are answered by ICMP */
    bool queue_given, queue_in_packets;
    uint32_t mtu; /* octets of an IP packet; 0: any */
    uint32_t loss, corrupt, dup, reorder;
    uint32_t burst;  /* mean packets lost in a row, in thousandths; 0: as chance has it */
    uint64_t rate;   /* bit/s; 0: any */
    uint64_t bucket; /* octets that may go at once, before the rate holds */
    uint64_t queue;  /* in front of the rate: packets or octets */
    uint64_t delay_ns, jitter_ns;
    uint64_t late_ns; /* of those that are overtaken */
};

/* A direction is the link that the packet leaves the router by: LEFT is towards host1. */
struct impair_settings {
    uint64_t seed;
    struct impair_way way[TOPO_LINKS];
};

/* Since the settings were made. Packets are of at most the MTU of the router's device:
 * packets + dup = out + lost + queue + mtu. */
struct impair_counters {
    uint64_t packets;
    uint64_t out;   /* let through, copies and those still waiting for their moment included */
    uint64_t lost;  /* --loss */
    uint64_t queue; /* came to a full queue */
    uint64_t mtu;   /* too long */
    uint64_t dup, corrupt, late;
};

struct impair_state {
    struct impair_settings settings;
    struct impair_counters counters[TOPO_LINKS];
    uint64_t waiting[TOPO_LINKS]; /* packets on their way now */
    /* Dropped because they came faster than the forwarder took them. Of a super-frame the kernel
     * counts only the first such packet, and drops the rest of it as well. */
    uint64_t overflow;
};

/* The command `impair`, argv[0] being that word. Returns the exit status. */
int impair_command(int argc, char **argv);

#endif

/*
 * A link moves IP packets. It knows no TCP. packet (AF_PACKET on all devices), pair (two ends in
 * memory) and pcap (records what passes another one) are kinds of it, behind one table of calls.
 *
 * Thread rules: the caller serialises send() with itself and recv() with itself; one thread may be
 * in send() while another is in recv().
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

struct link;

/* Header prediction: text of this connection that begins with this number is wanted here. */
struct link_expect {
    struct flow flow;
    seq_t seq;
    uint8_t *buf;
    size_t len; /* octets of room */
};

#define LINK_EXPECT_MAX 32 /* more of them are forgotten */

struct link_ops {
    /* Sends up to n packets, in order, to where the routes say; never blocks. Returns how many it
     * took care of: a packet that waits for its neighbour's address, or has no route, counts as
     * taken care of (and may be dropped, and counted). Fewer than n: the device is busy. To one
     * that is too big for the device, or whose neighbour does not answer, recv() may answer as a
     * router would, by ICMP. */
    size_t (*send)(struct link *l, const struct packet *p, size_t n);

    /* Receives up to n packets, never blocks; 0 when there are none. The packets' memory stays
     * valid until the next recv() on this link. */
    size_t (*recv)(struct link *l, struct packet *p, size_t n);

    /* What the next recv() may be guided by, once for each connection: where it can choose into
     * which memory a packet's text is received, that which continues the expected one goes to
     * `buf`, one packet's behind the other's, and is referred to there. Whether the packet is any
     * good is not looked at. Called by who calls recv(). NULL: there is nothing to be chosen. */
    void (*expect)(struct link *l, const struct link_expect *e);

    /* Packets to this address have had no answer for a while (RFC 1122 3.3.1.4): the route to it
     * and the next hop's address are to be found out anew, as if for the first time, with the next
     * packets. Never blocks; serialised with send(). NULL: there is nothing to be found out. */
    void (*doubt)(struct link *l, const struct ip_addr *dst);

    /* A descriptor that polls readable when recv() may have something; -1 when there is none. */
    int (*poll_fd)(const struct link *l);

    void (*destroy)(struct link *l);
};

struct link {
    const struct link_ops *ops;
    struct link_caps caps;
};

#endif

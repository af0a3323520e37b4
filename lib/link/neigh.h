/*
 * The neighbours on our links: which Ethernet address has which IP address (RFC 826, RFC 1122
 * 2.3.2; for IPv6 the same table serves RFC 4861). Packets for a neighbour whose address is not
 * known yet wait here.
 *
 * No socket and no clock: the caller (link_packet.c) sends the requests this file asks for and
 * tells it what was heard; time is an argument, in ns, and may be a little behind that of the call
 * before, which another thread made. Not thread-safe.
 *
 * Nothing that others send creates an entry: there are entries only for next hops of packets of
 * ours. What is heard can confirm an entry; it changes an entry's address only in answer to a
 * request of ours. A claim that differs, unasked, makes us ask anew.
 */
#ifndef NEIGH_H
#define NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "ether.h"
#include "list.h"
#include "packet.h"

#define NEIGH_MAX          1024      /* entries; the one unused for longest makes room */
#define NEIGH_WAITING_MAX  4         /* packets that wait for one neighbour; the latest are kept */
#define NEIGH_WAITING_SIZE (1 << 20) /* octets that wait in all; the latest are kept */

struct neigh_key {
    uint32_t ifindex;
    struct ip_addr ip;
};

/* What the caller is to send. */
enum neigh_ask {
    NEIGH_ASK_NOTHING,
    NEIGH_ASK_ALL, /* a request to everybody on the link */
    NEIGH_ASK_IT,  /* to the address we have: is it still right? */
};

struct entry;

/* A packet that waited: a copy, in one piece. `node` is on the caller's list. */
struct neigh_packet {
    struct list node, age; /* among those for the same neighbour; among all */
    struct entry *entry;   /* what it waits for */
    uint64_t since;        /* when it began to wait */
    struct packet packet;
    uint8_t octets[];
};

struct neigh_table;

/* seed: 16 random octets, so that nobody can choose colliding addresses. NULL without memory. */
struct neigh_table *neigh_create(const uint8_t seed[16]);
void neigh_destroy(struct neigh_table *t);

/* The neighbour's Ethernet address: true and *mac when it is known. *ask says what to send besides,
 * at most once a second per neighbour. O(1). */
bool neigh_lookup(struct neigh_table *t, const struct neigh_key *key, uint64_t now,
                  struct mac_addr *mac, enum neigh_ask *ask);

/* Copies p to wait for the neighbour, after neigh_lookup said false. Where there is no room, those
 * that have waited longest are thrown away. Linear in p's length. */
void neigh_wait(struct neigh_table *t, const struct neigh_key *key, const struct packet *p,
                uint64_t now);

/* After neigh_lookup said false: whether so many requests to everybody have had no answer that the
 * address is to be called unreachable (RFC 4861 7.2.2). */
bool neigh_failed(struct neigh_table *t, const struct neigh_key *key);

/* How a neighbour's claim came. */
enum neigh_claim {
    NEIGH_ANSWER,  /* in the form of an answer to a request of ours */
    NEIGH_SECOND,  /* likewise, but it leaves what is known (RFC 4861 4.4: the Override flag is
                      clear): a proxy's, or one of several that have the address */
    NEIGH_OTHER,   /* some other packet of it, addressed to us */
    NEIGH_UNASKED, /* one that does not show that we can reach it (RFC 4861 7.3.1) */
};

/* The neighbour says that it has this Ethernet address, or, mac being NULL, that it is where it is
 * known to be. Moves the packets that can now go to the end of `ready`, in order: the caller sends
 * each and gives it to neigh_packet_free. */
void neigh_heard(struct neigh_table *t, const struct neigh_key *key, enum neigh_claim claim,
                 const struct mac_addr *mac, uint64_t now, struct list *ready);

/* Nothing has come back from beyond the neighbour for a while, so it may not be there any more (RFC
 * 4861 7.3.3): it is asked with the next packet, but only once, before everybody is. No effect on
 * an entry that is in question already. */
void neigh_doubt(struct neigh_table *t, const struct neigh_key *key);

void neigh_packet_free(struct neigh_packet *w);

/* Packets thrown away here so far. */
uint64_t neigh_dropped(const struct neigh_table *t);

#endif

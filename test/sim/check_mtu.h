/*
 * Checker of what routers have told about a path's MTU (RFC 1191, RFC 8201): one struct per end,
 * and one list for all connections of a host to another, since they share what they learn.
 */
#ifndef CHECK_MTU_H
#define CHECK_MTU_H

#include <stdbool.h>
#include <stdint.h>

#define TOLD_MAX 8

struct mtu_list {
    uint32_t n, mtu[TOLD_MAX];
};

/* The first of what goes again, and how often it has. */
struct mtu_again {
    uint64_t at;
    uint32_t times;
};

struct mtu_watch {
    uint32_t mtu; /* nothing larger may be sent */
    uint64_t until_ns;
    /* By the ACKs that have arrived, and by those that the sender has taken for sure: when either
     * went in vain r1 times, it may have seen a black hole (RFC 4821 7.7). */
    struct mtu_again heard, taken;
    uint32_t r1;
    bool fallen;
};

/* A router's word arrives. in_flight: for sure about something that is in flight, so that it has to
 * be believed. */
void mtu_told(struct mtu_list *list, struct mtu_watch *w, uint32_t mtu, bool in_flight,
              uint64_t now_ns);

/* Packets of so many octets are sent. */
void mtu_sent(const struct mtu_watch *w, uint32_t packet_len, uint64_t now_ns);

/* Whether len is text in whole segments for an MTU that was told. head: octets of IP and TCP
 * header. */
bool mtu_divides(const struct mtu_list *list, uint32_t head, uint64_t len);

/* Text from here on is sent again; acknowledged is what lies before `taken` for sure, and before
 * `heard` at the most. */
void mtu_sent_again(struct mtu_watch *w, uint64_t at, uint64_t heard, uint64_t taken);

/* Whether len is text in whole segments of the sizes that a sender falls back to. */
bool mtu_fallen_back(const struct mtu_watch *w, uint32_t head, uint64_t len);

#endif

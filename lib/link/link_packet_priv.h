/* What the files of the packet link share: link_packet.c, _own.c, _rx.c and _tx.c. */
#ifndef LINK_PACKET_PRIV_H
#define LINK_PACKET_PRIV_H

#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "ether.h"
#include "link_packet.h"
#include "neigh.h"
#include "nstime.h"
#include "refuse.h"
#include "resolve.h"
#include "ring.h"
#include "route.h"

#define TX_BATCH  32
#define RX_LARGE  8 /* frames at one time that are larger than their place in the ring */
#define IP_MAX    65535
#define FRAME_MAX (ETHER_HDR_LEN + IP_MAX)
#define RX_PAD    2 /* before the frame, so that the IP header is aligned */
#define RX_STRIDE 65600
_Static_assert(RX_PAD + FRAME_MAX <= RX_STRIDE && RX_STRIDE % 64 == 0, "room for a frame");

/* What a link must know of TCP: where the fields are that offloading and filtering look at. */
#define TCP_MIN         20
#define TCP_AT_DST_PORT 2
#define TCP_AT_OFFSET   12
#define TCP_AT_FLAGS    13
#define TCP_AT_CHECKSUM 16

/* One frame on its way out: header octets of our own, then the packet's memory. */
struct frame {
    struct {
        struct virtio_net_hdr vnet;
        uint8_t ether[ETHER_HDR_LEN];
    } prefix;
    struct sockaddr_ll to;
    struct iovec iov[2 + SEG_REFS_MAX];
    size_t n_iov;
    size_t index;     /* of the packet in the caller's batch */
    uint16_t headers; /* octets, Ethernet's among them; 0: nothing is left to the kernel */
};

/* What is answered to a packet that was refused; and how many answers wait for recv() at most. */
struct refusal {
    uint8_t octets[REFUSE_MAX];
    size_t len;
    uint32_t zone;
};
#define REFUSALS_MAX 8

enum counter {
    SENT,
    RECEIVED,
    MALFORMED,
    NO_ROUTE,
    REFUSED,
    QUEUE_FULL,
    TOO_LONG,
    FOREIGN,
    N_COUNTERS
};

struct link_packet {
    struct link link;
    int fd;
    struct route_table *routes;
    _Atomic uint64_t counters[N_COUNTERS];

    int groups; /* an IPv6 socket, for the groups it has joined; -1: the kernel has no IPv6 */

    pthread_mutex_t lock; /* for all down to n_refusals */
    struct neigh_table *neigh;
    struct port_range *ports;
    size_t n_ports;
    struct ip_addr *owned;
    size_t n_owned;
    const struct neigh_key *asked; /* who has it? NULL: not asked, or somebody has answered */
    struct refusal refusals[REFUSALS_MAX];
    atomic_size_t n_refusals;

    /* send()'s */
    struct frame tx[TX_BATCH];
    struct mmsghdr tx_msg[TX_BATCH];
    size_t tx_n;
    unsigned tx_pages; /* so many frames more go into pages */

    /* recv()'s */
    struct ring ring;
    struct link_expect expected[LINK_EXPECT_MAX];
    bool begun[LINK_EXPECT_MAX]; /* text of this recv() lies there */
    size_t n_expected;
    uint8_t *rx_octets; /* RX_LARGE * RX_STRIDE */
    struct refusal rx_refusals[REFUSALS_MAX];
};

static inline struct link_packet *link_packet_of(const struct link *l)
{
    return (struct link_packet *)(void *)((char *)(uintptr_t)l -
                                          offsetof(struct link_packet, link));
}

static inline void count(struct link_packet *lp, enum counter which)
{
    atomic_fetch_add_explicit(&lp->counters[which], 1, memory_order_relaxed);
}

static inline uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Lets in what is for these ports and addresses, and takes both lists over in the place of
 * lp->ports and lp->owned, which are the caller's then. On failure (as link_packet_set_ports) all
 * stays as it was. One caller at a time. */
int link_packet_let_in(struct link_packet *lp, struct port_range *ports, size_t n_ports,
                       struct ip_addr *owned, size_t n_owned);

/* Whether the address is this link's own. The lock must be held. */
bool link_packet_owns(const struct link_packet *lp, const struct ip_addr *addr);

/* Answers who asks for an address of ours. */
void link_packet_answer(struct link_packet *lp, const struct resolve_question *q, uint32_t ifindex,
                        uint64_t now);

/* Sends a frame of neighbour discovery. Losing it does no harm: there will be another. */
void link_packet_send_frame(struct link_packet *lp, uint32_t ifindex, bool v4, uint8_t *frame,
                            size_t len);

/* The calls behind link_ops. */
size_t link_packet_send(struct link *l, const struct packet *p, size_t n);
size_t link_packet_recv(struct link *l, struct packet *p, size_t n);
void link_packet_expect(struct link *l, const struct link_expect *e);
void link_packet_doubt(struct link *l, const struct ip_addr *dst);

/* Sends and frees what waited for a neighbour that is known now. The lock must be held. */
void link_packet_send_ready(struct link_packet *lp, struct list *ready, uint64_t now);

#endif

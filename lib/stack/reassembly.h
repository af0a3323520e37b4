/*
 * Putting fragments of IP packets together (RFC 791 3.2, RFC 815, RFC 1122 3.3.2; RFC 8200 4.5).
 * Like the rest of the engine without a clock: what has waited for too long is thrown away when
 * the next fragment comes, so that fragments never wake anybody up. Called by border.c only.
 *
 * What others send is held within limits, and costs O(1): REASSEMBLY_BYTES in all, or a quarter of
 * the engine's memory where that is less, so that connections have the rest; one bucket of
 * REASSEMBLY_BUCKET packets for each pair of addresses, REASSEMBLY_PIECES fragments a packet. Where
 * there is no room, what has waited longest goes. That is also what a lost fragment wants: its
 * siblings are of no use any more.
 */
#ifndef REASSEMBLY_H
#define REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "mem.h"
#include "nstime.h"
#include "packet.h"
#include "siphash.h"

#define REASSEMBLY_BYTES   ((size_t)4 << 20) /* as Linux's ipfrag_high_thresh */
#define REASSEMBLY_BUCKETS 64
#define REASSEMBLY_BUCKET  16
#define REASSEMBLY_PIECES  64 /* a packet of 65535 octets at an MTU of 1068 */

/* RFC 1122 3.3.2 says 60 to 120 s; Linux waits 30 s, and so do we: IPv4's identifications come
 * round in less (RFC 4963), and TCP sends again much sooner. */
#define REASSEMBLY_NS (30 * NS_PER_S)

/* So many more packets begun between two hosts, and what comes with an old one's identification is
 * another packet's: RFC 4963; ipfrag_max_dist of Linux. */
#define REASSEMBLY_DISTANCE 64

struct reassembly {
    struct mem *mem;
    struct siphash_key key; /* so that nobody can choose a bucket */
    struct list age;        /* packets in the making, oldest first */
    struct reassembly_bucket {
        struct list packets; /* oldest first */
        uint32_t begun;      /* how many so far */
    } bucket[REASSEMBLY_BUCKETS];
    size_t used;      /* octets of mem */
    uint8_t *whole;   /* the last one completed */
    size_t whole_len; /* its room */
    uint64_t dropped; /* fragments thrown away so far, for whatever reason */
};

void reassembly_init(struct reassembly *r, const struct siphash_key *key, struct mem *mem);
void reassembly_finish(struct reassembly *r);

/*
 * Takes a fragment, p, as ip_parse has found it to be; copies it. True when it completes a packet:
 * *out is what its sender had, in one piece, with a plain IP header, and valid until the next
 * call. Else false; *why then says why the fragment was thrown away, NULL when it waits.
 *
 * Fragments that overlap spoil the whole packet (RFC 5722 3; RFC 8200 4.5), for IPv4 as well: no
 * sender makes them but to deceive. An exact duplicate is overlooked. A TCP header without its
 * options has to be in the first fragment (RFC 1858, RFC 3128; RFC 7112), if it stands right behind
 * the IP or the fragment header: RFC 8200 4.5 asks for it behind other extension headers as well,
 * which we do not look into before the packet is whole.
 */
bool reassembly_add(struct reassembly *r, const struct packet *p, uint64_t now_ns,
                    struct packet *out, const char **why);

#endif

/* See check_mem.h. */
#include "check_mem.h"

#include "check_wire_parts.h"
#include "fail.h"
#include "scoreboard.h"

#define EXTENT 65536

/* What a connection may have besides the text itself: an extent of 64 KiB of the send queue of
 * which the first octets are acknowledged and another of which the last are not used, chunks of 16
 * KiB of the receive queue in the same way, 32 KiB for what lies behind holes (sndq.c, rcvq.h,
 * ranges.h). */
#define PER_QUEUE (2 * EXTENT + 3 * 16384 + 32768)

/* And every socket: itself, and a tenth of the text for headers of small extents; where blocks are
 * given, before each of them as much that is not used (sndq_give). */
#define PER_SOCK 4096

static uint64_t held(struct end *e)
{
    /* Nothing counts for one that talks to an earlier epoch of its peer, whose numbers are others.
     */
    bool lost = e->wire.lost;
    uint64_t acked = e->wire.acked_new > 1 && !lost ? e->wire.acked_new - 1 : 0;
    uint64_t arrived = lost ? peer_of(e)->wire.written : e->wire.arrived;
    uint64_t unacked = e->wire.written > acked ? e->wire.written - acked : 0;
    uint64_t unread = arrived > e->read ? arrived - e->read : 0;
    /* Each full segment in flight has its record of when it was sent: with an MSS of 36 more than
     * the text itself (seed 2348417). */
    uint64_t flight = e->wire.sent > acked + 1 && !lost ? e->wire.sent - 1 - acked : 0, records = 0;
    if (flight > 0)
        records = flight / wire_mss_limit(&e->wire, &peer_of(e)->wire) * sizeof(struct sent);
    uint64_t lent = e->n_lent > 0 ? EXTENT : 0; /* which is not joined to the one before it yet */
    return unacked + (end_gives(e) ? unacked : unacked / 10) + records + lent + unread;
}

void mem_check(const struct host *h)
{
    const struct world *w = h->world;
    uint64_t most = h->mem_empty + (uint64_t)PER_SOCK * (1 + h->socks_most);
    for (uint32_t i = 0; i < 2 * w->plan.n_conns; i++) {
        struct end *e = &w->conn[i / 2].end[i % 2];
        bool closes = e->closed_ns == w->now_ns; /* with a RST to be sent, perhaps */
        bool waits = e->wire.syn_sent && !e->opened && e->life == h->life; /* for accept() */
        if (e->host == h && (e->in_engine || e->sock || e->lingering || closes || waits))
            most += PER_QUEUE + held(e);
    }
    SIM_CHECK(h->mem.used <= most, "memory",
              "host %u: %zu octets in use, there is a reason for %llu", h->index, h->mem.used,
              (unsigned long long)most);
}

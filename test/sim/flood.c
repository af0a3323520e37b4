/* See flood.h. */
#include "flood.h"

#include "check_border.h"
#include "check_end.h"
#include "codec.h"
#include "fail.h"
#include "host.h"
#include "ladder.h"

#define NOWHERE 0x0a630000 /* 10.99.0.0/16, fd00:99::/64 */

static struct ip_addr nowhere(const struct world *w, uint16_t n)
{
    const uint8_t a[16] = {0xfd, 0, 0, 0x99, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n};
    return w->plan.v6 ? ip_addr_v6_bytes(a) : ip_addr_v4(NOWHERE + n);
}

bool flood_is(const struct world *w, const struct flow *flow)
{
    const struct ip_addr first = nowhere(w, 0);
    return memcmp(flow->remote.b, first.b, 14) == 0;
}

static void forge(struct host *h, struct packet *p)
{
    struct rng *r = &h->world->rng;
    const struct flow flow = {
        .local = nowhere(h->world, (uint16_t)rng_range(r, 1, 60000)),
        .remote = h->addr,
        .local_port = (uint16_t)rng_range(r, 1, UINT16_MAX),
        .remote_port = LISTEN_PORT,
    };
    struct seg seg = {.flags = rng_one_in(r, 8) ? TCP_ACK : TCP_SYN,
                      .seq = seq((uint32_t)rng_u64(r)),
                      .wnd = (uint16_t)rng_u64(r)};
    if (seg.flags & TCP_ACK)
        seg.ack = seq((uint32_t)rng_u64(r));
    seg.opts.has_mss = rng_one_in(r, 2);
    seg.opts.mss = (uint16_t)rng_u64(r);
    seg.opts.has_ts = rng_one_in(r, 2);
    seg.opts.ts_val = (uint32_t)rng_u64(r);
    seg.opts.has_wscale = seg.opts.has_sack_permitted = rng_one_in(r, 2);
    seg.opts.wscale = (uint8_t)rng_below(r, 16);
    packet_encode(p, &flow, &seg, 0, 64, false);
}

void flood(struct host *h)
{
    struct world *w = h->world;
    if (!h->stack || !h->listener || w->calm)
        return;
    if (w->trace)
        ladder_note(w, "host %u is flooded", h->index);
    end_flooded(h);
    host_enter(h);
    h->idle_ticks = 0;
    for (uint32_t left = h->plan->flood_syns; left > 0;) {
        struct packet in[OUTPUT_BATCH];
        uint32_t n = rng_range32(&w->rng, 1, left < OUTPUT_BATCH ? left : OUTPUT_BATCH);
        for (uint32_t i = 0; i < n; i++)
            forge(h, &in[i]);
        stack_input(h->stack, in, n, host_now(h));
        border_called(h);
        host_leave(h);
        left -= n;
    }
}

void flood_answered(struct host *h, const struct seg *seg, uint32_t sock_id)
{
    bool syn_ack = seg->flags == (TCP_SYN | TCP_ACK), rst = (seg->flags & TCP_RST) != 0;
    bool cookies = h->plan->tcp.syncookies != SYNCOOKIES_NEVER;
    bool always = h->plan->tcp.syncookies == SYNCOOKIES_ALWAYS;
    /* Two of the flood may have the same four-tuple: the second SYN is challenged (RFC 5961 4). */
    bool challenge = seg->flags == TCP_ACK && sock_id;
    SIM_CHECK(syn_ack || rst || challenge, "flood", "flags %02x for a forged segment", seg->flags);
    SIM_CHECK(!syn_ack || (sock_id ? !always : cookies), "flood", "a SYN-ACK %s a connection",
              sock_id ? "of" : "without");
}

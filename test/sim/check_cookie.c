/* See check_cookie.h. */
#include "check_cookie.h"

#include "cookie.h"
#include "fail.h"
#include "host.h"
#include "isn.h"

struct end *cookie_asked_by(struct end *e, seq_t ack)
{
    while (e && !seq_eq(seq_add(peer_of(e)->wire.iss, 1), ack))
        e = e->conn->older ? &e->conn->older->end[e->side] : NULL;
    SIM_CHECK(e, "cookie", "a SYN-ACK for a SYN that nobody has sent");
    return e;
}

static uint32_t tag(const struct siphash_key *key, uint64_t f, seq_t syn, uint32_t count,
                    uint8_t ts)
{
    uint8_t id[17];
    struct writer w = writer(id, sizeof id);
    put_u32(&w, (uint32_t)(f >> 32));
    put_u32(&w, (uint32_t)f);
    put_u32(&w, syn.v);
    put_u32(&w, count);
    put_u8(&w, ts);
    return (uint32_t)siphash(key, id, sizeof id) & 0xffffff;
}

bool cookie_fits(const struct host *h, const struct flow *flow)
{
    const struct seg *ack = &h->heard;
    seq_t syn = host_syn(h);
    const struct siphash_key key = cookie_key(&h->secret);
    uint64_t f = isn_f(&key, flow);
    bool ts = h->plan->tcp.timestamps && ack->opts.has_ts;
    uint8_t told = ts ? ack->opts.ts_ecr & 0x3f : 0xff;
    uint32_t now = (uint32_t)(host_now(h) / (64 * NS_PER_S));
    uint32_t number = ack->ack.v - 1 - (uint32_t)f - syn.v;
    for (uint32_t age = 0; age < 2; age++) {
        uint32_t low = number - ((now - age) << 24);
        if (low < 1u << 24 && ((low - tag(&key, f, syn, now - age, told)) & 0xffffff) < 8)
            return h->plan->tcp.syncookies != SYNCOOKIES_NEVER;
    }
    return false;
}

uint32_t cookie_syn_sent(struct end *e, const struct seg *seg, bool cookie)
{
    bool was = e->wire.cookie;
    enum syncookies when = e->host->plan->tcp.syncookies;
    SIM_CHECK(!cookie || (when != SYNCOOKIES_NEVER && e->wire.passive), "cookie",
              "there are to be none");
    SIM_CHECK(!cookie || seg->opts.has_ts ||
                  !(seg->opts.has_wscale || seg->opts.has_sack_permitted),
              "cookie", "window scale or SACK-permitted without timestamps: they are forgotten");
    /* One that was made before the ACK of another came: it is of no connection that there will be,
     * or the same as that one. */
    bool same = seq_eq(e->wire.iss, seg->seq);
    if (cookie && e->in_engine && (same || e->cookie_ns == e->conn->world->now_ns))
        return wire_epoch(&e->wire) + !same;
    e->cookied = e->wire.cookie = cookie;
    e->wire.cookie_once |= cookie;
    wire_sent(&e->wire, &peer_of(e)->wire, seg, e->conn->world->now_ns);
    if (!seq_eq(e->wire.iss, seg->seq)) /* a ghost's: the number is the one before */
        e->wire.cookie = was;
    return wire_epoch(&e->wire);
}

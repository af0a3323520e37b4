/* See check_cookie.h. */
#include "check_cookie.h"

#include "fail.h"

struct end *cookie_asked_by(struct end *e, seq_t ack)
{
    while (e && !seq_eq(seq_add(peer_of(e)->wire.iss, 1), ack))
        e = e->conn->older ? &e->conn->older->end[e->side] : NULL;
    SIM_CHECK(e, "cookie", "a SYN-ACK for a SYN that nobody has sent");
    return e;
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

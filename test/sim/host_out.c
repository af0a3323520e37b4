/* What a host's engine sends. See host.h. */
#include "check_border.h"
#include "check_cookie.h"
#include "check_reuse.h"
#include "fail.h"
#include "flood.h"
#include "host.h"
#include "who.h"

static void forge_one(struct world *w, const struct frame *f, struct link *l)
{
    const struct end *e = &((struct conn *)f->conn)->end[f->side];
    seq_t never = seq_add(e->wire.iss, (uint32_t)e->plan->to_write + 3);
    struct frame *forged = frame_forge(f, never, &w->rng);
    /* And what a router would say to it, though it does not even come by one. */
    if (!seq_eq(forged->seg.seq, f->seg.seq) && rng_one_in(&w->rng, 4)) {
        struct frame *told = frame_too_big(forged, w->plan.v6 ? 1280 : 552, &w->rng);
        told->forged = true;
        link_send(net_back(&w->net, l), told, w->now_ns);
    }
    link_send(l, forged, w->now_ns);
}

/* Somebody off the path guesses, once or many times in a row: both ends must not mind. */
static void forge(struct host *h, const struct frame *f, struct link *l)
{
    struct world *w = h->world;
    const struct conn *c = f->conn;
    bool open = c->end[0].connected && c->end[1].connected;
    if (w->calm || !open || f->gso_size || f->seg.flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
        !rng_chance(&w->rng, h->plan->forge_ppm))
        return;
    uint32_t n = rng_one_in(&w->rng, 20) ? rng_range32(&w->rng, 1, 100) : 1;
    while (n-- > 0)
        forge_one(w, f, l);
}

/* The engine's answer to a segment that none of its connections has taken: RST. */
static void answered(struct end *e, const struct seg *seg)
{
    SIM_CHECK(seg->flags == TCP_RST || seg->flags == (TCP_RST | TCP_ACK), "reset",
              "flags %02x for no connection", seg->flags);
    SIM_CHECK(seg_len(seg) == 0, "reset", "RST with text");
    ts_sent_answer(seg);
    for (; e; e = e->conn->older ? &e->conn->older->end[e->side] : NULL) {
        ack_reset(&e->wire.ack_watch);
        e->refused = e->refused || e->cookied;
    }
}

/* The engine's, as far as somebody has its socket. */
static uint32_t ssthresh(const struct end *e)
{
    struct tcp_status s = {0};
    if (e->sock || e->lingering)
        stack_status(e->sock ? e->sock : e->lingering, &s);
    return s.ssthresh;
}

static void sent(struct end *e, struct frame *f, uint32_t sock_id)
{
    struct world *w = e->conn->world;
    bool syn = f->seg.flags & TCP_SYN;
    uint32_t epoch = 0;
    fail_about((int)e->conn->index, e->side);
    if (sock_id && (wire_is_again(&e->wire, &f->seg) || f->seg.flags & TCP_CWR))
        e->wire.ssthresh = ssthresh(e);
    if (syn)
        epoch = cookie_syn_sent(e, &f->seg, sock_id == 0);
    else if (sock_id)
        wire_sent(&e->wire, &peer_of(e)->wire, &f->seg, w->now_ns);
    else
        answered(e, &f->seg);
    if (sock_id && syn)
        reuse_syn_sent(e);
    for (struct conn *c = who_newest(e->conn); c && w->calm; c = c->older)
        c->end[1 - e->side].calm_answers++;
    if (w->sabotage)
        sabotage_sent(e, f);
    f->epoch = syn ? epoch : wire_epoch(&e->wire);
    fail_about(-1, 0);
}

static void transmit(struct host *h, const struct packet *p, uint32_t sock_id)
{
    struct world *w = h->world;
    struct frame *f = frame_copy(p, &h->plan->caps);
    const struct flow from = {f->flow.remote, f->flow.local, f->flow.remote_port,
                              f->flow.local_port};
    if (flood_is(w, &from)) {
        flood_answered(h, &f->seg, sock_id);
        frame_unref(f);
        return;
    }
    struct end *e = sock_id ? who_has_id(h, sock_id) : who_has_flow(w, &from);
    if (e && !sock_id && f->seg.flags & TCP_SYN)
        e = cookie_asked_by(e, f->seg.ack);
    SIM_CHECK(e && e->host == h && who_fits(e, &from), "flow",
              "a packet of no connection, port %u to %u", from.local_port, from.remote_port);
    f->conn = e->conn;
    f->side = e->side;
    f->from = h->index;
    f->to = peer_of(e)->host->index;
    sent(e, f, sock_id);
    world_hash(w, w->now_ns);
    world_hash(w, (uint64_t)f->seg.seq.v << 32 | f->seg.ack.v);
    world_hash(w, (uint64_t)f->len << 32 | f->seg.wnd << 8 | f->seg.flags);
    w->segments += f->gso_size ? (f->seg.text_len + f->gso_size - 1u) / f->gso_size : 1;
    w->octets += f->len;
    struct link *l = net_next(&w->net, h->index, f->to);
    forge(h, f, l);
    link_send(l, f, w->now_ns);
}

size_t host_drain(struct host *h)
{
    struct packet out[OUTPUT_BATCH];
    size_t total = 0, n;
    uint32_t max = h->plan->output_max;
    while (h->n_sent = 0, (n = stack_output(h->stack, out, max, host_now(h))) > 0) {
        SIM_CHECK(n <= max, "output", "%zu packets for %u places", n, max);
        SIM_CHECK(n == h->n_sent, "output", "%zu packets, %u were told of", n, h->n_sent);
        for (size_t i = 0; i < n; i++)
            transmit(h, &out[i], h->sent_id[i]);
        total += n;
        SIM_CHECK(total < 100000, "output", "does not come to an end");
    }
    if (total > 0)
        border_called(h); /* otherwise the caller has just done so */
    if (h->world->sabotage)
        sabotage_silence(h);
    border_silent(h);
    return total;
}

/* Loss recovery with SACK. See sack_recovery.h. Called by loss.c. */
#include "sack_recovery.h"

#include "minmax.h"

void sack_recovery_init(struct sack_recovery *r, struct mem *mem, seq_t una)
{
    *r = (struct sack_recovery){.mode = RECOVERY_OPEN, .recover = una, .una = una};
    scoreboard_init(&r->board, mem, una);
    rack_init(&r->rack);
}

void sack_recovery_finish(struct sack_recovery *r)
{
    scoreboard_finish(&r->board);
    rack_init(&r->rack);
}

bool sack_recovery_forgets(const struct sack_recovery *r)
{
    return r->mode == RECOVERY_OPEN && !r->rack.tlp_out;
}

static struct rack_now rack_now(const struct sack_recovery *r, const struct cc *c, uint64_t srtt_ns,
                                uint64_t now_ns)
{
    return (struct rack_now){
        .now_ns = now_ns,
        .srtt_ns = srtt_ns,
        .mss = c->mss,
        .in_recovery = r->mode != RECOVERY_OPEN,
    };
}

static uint32_t flight(const struct sack_recovery *r, seq_t una, seq_t nxt)
{
    return scoreboard_flight(&r->board, (uint32_t)seq_diff(nxt, una));
}

/* ---- Undo ---- */

static void remember(struct sack_recovery *r, const struct cc *c, seq_t una)
{
    r->may_undo = true;
    r->before = *c;
    r->una = una;
    r->resent = 0;
}

/* Nothing was lost: RFC 4015 3.2, without its limit on the burst, which cwnd is in Linux too. */
static void undo(struct sack_recovery *r, struct cc *c)
{
    uint32_t cwnd = max_u32(c->cwnd, r->before.cwnd), mss = c->mss;
    *c = r->before;
    c->cwnd = cwnd;
    cc_set_mss(c, mss);
    r->mode = RECOVERY_OPEN;
    r->may_undo = false;
    /* RFC 8985 6.2 step 3 sees reordering only where nothing was sent again; with a window of 0 all
     * that is late is, so it would never open. Linux counts this too, and so do we. */
    r->rack.reordering_seen = true;
    scoreboard_lose_none(&r->board);
}

/* The peer has got [left, right) twice. Once that is true of all that was sent again, none of it
 * was lost. */
static void twice(struct sack_recovery *r, struct cc *c, const struct sack_block *b)
{
    if (!r->may_undo || r->resent == 0 || seq_lt(b->left, r->una) || seq_lt(r->recover, b->right))
        return;
    r->resent -= min_u32(r->resent, (uint32_t)seq_diff(b->right, b->left));
    if (r->resent == 0)
        undo(r, c);
}

/* ---- SACK ---- */

/* RFC 2883 4: the first block is below SEG.ACK, or within the second. */
static bool is_dsack(const struct seg *seg)
{
    const struct sack_block *b = seg->opts.sack;
    if (seg->opts.n_sack == 0 || !seq_lt(b[0].left, b[0].right))
        return false;
    if (seq_leq(b[0].right, seg->ack))
        return true;
    return seg->opts.n_sack > 1 && seq_leq(b[1].left, b[0].left) && seq_leq(b[0].right, b[1].right);
}

/* A block of what is outstanding (RFC 2018 5); anything else was never sent, or is long known. */
static bool is_plausible(const struct sack_block *b, const struct sack_ack *ack)
{
    return seq_lt(b->left, b->right) && seq_lt(ack->una, b->left) && seq_leq(b->right, ack->nxt);
}

static void take_blocks(struct sack_recovery *r, const struct sack_ack *ack, bool dsack,
                        struct delivery *d)
{
    const struct tcp_opts *opts = &ack->seg->opts;
    for (unsigned i = dsack; i < opts->n_sack; i++) {
        if (is_plausible(&opts->sack[i], ack))
            scoreboard_sacked(&r->board, opts->sack[i].left, opts->sack[i].right, d);
    }
}

/* ---- Fast recovery ---- */

static void congestion(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt, uint64_t now_ns)
{
    remember(r, c, una);
    /* RFC 5681 3.2 step 2: without what was sent beyond cwnd. */
    uint32_t outstanding = min_u32((uint32_t)seq_diff(nxt, una), c->cwnd);
    c->ops->loss(c, outstanding, now_ns);
    prr_begin(&r->prr, outstanding);
    r->recover = nxt;
    rack_forget_probe(&r->rack);
}

static void fast_recovery(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                          uint64_t now_ns)
{
    congestion(r, c, una, nxt, now_ns);
    r->mode = RECOVERY_FAST;
}

static void recovered(struct sack_recovery *r, struct cc *c)
{
    if (r->mode == RECOVERY_FAST)
        c->cwnd = c->ssthresh;
    if (r->mode != RECOVERY_MTU)
        rack_recovered(&r->rack);
    r->mode = RECOVERY_OPEN;
}

/* Finds what is lost; true: something is that was not. */
static bool detect(struct sack_recovery *r, const struct cc *c, uint64_t srtt_ns, uint64_t now_ns)
{
    const struct rack_now now = rack_now(r, c, srtt_ns, now_ns);
    uint32_t lost = r->board.lost;
    rack_detect_loss(&r->rack, &r->board, &now);
    return r->board.lost > lost;
}

struct recovery_ack sack_recovery_ack(struct sack_recovery *r, struct cc *c,
                                      const struct sack_ack *ack)
{
    struct delivery d;
    bool dsack = is_dsack(ack->seg);
    scoreboard_begin(&r->board, &d, r->rack.min_rtt_ns, ack->now_ns);
    scoreboard_acked(&r->board, ack->una, &d);
    take_blocks(r, ack, dsack, &d);
    rack_delivered(&r->rack, &d);

    /* Only now: the ACK that ended a timeout's recovery was itself one that may cover text that had
     * arrived before. */
    if (r->mode == RECOVERY_OPEN)
        c->abc_limit = CC_ABC_LIMIT;
    bool nothing_new = dsack || (ack->duplicate && ack->seg->opts.n_sack == 0);
    bool repaired = rack_probe_acked(&r->rack, ack->seg->ack, nothing_new);
    if (repaired && r->mode == RECOVERY_OPEN) {
        congestion(r, c, ack->una, ack->nxt, ack->now_ns);
        r->may_undo = false;
    }
    if (dsack) {
        rack_dsack(&r->rack, ack->una, ack->nxt);
        twice(r, c, &ack->seg->opts.sack[0]);
    }
    if (r->mode != RECOVERY_OPEN && seq_leq(r->recover, ack->una))
        recovered(r, c);

    bool found = detect(r, c, ack->srtt_ns, ack->now_ns);
    if (found && r->mode == RECOVERY_OPEN)
        fast_recovery(r, c, ack->una, ack->nxt, ack->now_ns);
    if (r->mode == RECOVERY_FAST)
        c->cwnd = prr_cwnd(&r->prr, d.octets, flight(r, ack->una, ack->nxt), c->ssthresh, c->mss,
                           ack->advances && !found);
    r->recover = seq_max(r->recover, ack->una); /* it does not fall behind by 2^31 octets */
    return (struct recovery_ack){
        .delivered = d.octets,
        .rtt_ns = d.valid && !d.again ? ack->now_ns - d.at_ns : 0,
        .grow = r->mode != RECOVERY_FAST,
        .restart_timer = ack->advances,
    };
}

void sack_recovery_reo_timeout(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                               uint64_t srtt_ns, uint64_t now_ns)
{
    if (!detect(r, c, srtt_ns, now_ns) || r->mode != RECOVERY_OPEN)
        return;
    fast_recovery(r, c, una, nxt, now_ns);
    c->cwnd = prr_cwnd(&r->prr, 0, flight(r, una, nxt), c->ssthresh, c->mss, false);
}

void sack_recovery_timeout(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt, bool first,
                           uint64_t srtt_ns, uint64_t now_ns)
{
    const struct sent *head = scoreboard_first(&r->board);
    bool progress = seq_lt(r->una, una);
    uint32_t outstanding = flight(r, una, nxt);
    /* As recovery_timeout(): without progress the retransmission was lost, which is a second sign
     * of congestion (RFC 5681 4.3). */
    if (r->mode == RECOVERY_FAST) {
        outstanding = min_u32(outstanding, progress ? 2 * c->ssthresh : c->ssthresh);
        c->cwnd = c->ssthresh; /* what it was on its way to */
    }
    if (r->mode == RECOVERY_OPEN)
        remember(r, c, una);
    c->ops->timeout(c, outstanding, first, now_ns);
    c->abc_limit = 1;
    if (head && head->sacked)
        scoreboard_renege(&r->board); /* RFC 6675 5.1: it was acknowledged, and is not any more */
    r->mode = RECOVERY_RTO;
    r->recover = nxt;
    const struct rack_now now = rack_now(r, c, srtt_ns, now_ns);
    rack_timeout(&r->rack, &r->board, &now);
    rack_forget_probe(&r->rack);
    /* RFC 5681 3.1's loss window, beside what RFC 8985 6.3 has not marked as lost. */
    c->cwnd = min_u32(c->cwnd + flight(r, una, nxt), CC_CWND_MAX);
}

void sack_recovery_resend(struct sack_recovery *r)
{
    scoreboard_lose_all(&r->board);
}

void sack_recovery_too_big(struct sack_recovery *r, struct cc *c, seq_t nxt)
{
    recovery_slow_start(c, r->mode);
    r->mode = RECOVERY_MTU;
    r->recover = nxt;
    r->may_undo = false;
    rack_forget_probe(&r->rack);
    scoreboard_lose_all(&r->board);
}

void sack_recovery_sent(struct sack_recovery *r, seq_t from, seq_t end, seq_t nxt, uint64_t now_ns)
{
    scoreboard_sent(&r->board, from, end, now_ns);
    prr_sent(&r->prr, (uint32_t)seq_diff(end, from));
    if (seq_lt(from, nxt))
        r->resent += (uint32_t)seq_diff(seq_min(end, nxt), from);
}

bool sack_recovery_probes(const struct sack_recovery *r)
{
    return r->mode == RECOVERY_OPEN && r->board.sacked == 0 && r->board.lost == 0;
}

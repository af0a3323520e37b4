/* Loss recovery with SACK. See sack_recovery.h. Called by loss.c. */
#include "sack_recovery.h"

#include "minmax.h"
#include "nstime.h"

void sack_recovery_init(struct sack_recovery *r, struct mem *mem, seq_t una, uint8_t tcp_recovery)
{
    *r = (struct sack_recovery){.mode = RECOVERY_OPEN, .recover = una, .una = una, .load_end = una};
    scoreboard_init(&r->board, mem, una);
    rack_init(&r->rack, tcp_recovery);
}

void sack_recovery_finish(struct sack_recovery *r)
{
    scoreboard_finish(&r->board);
    rack_init(&r->rack, r->rack.tcp_recovery);
}

bool sack_recovery_forgets(const struct sack_recovery *r)
{
    return r->mode == RECOVERY_OPEN;
}

static struct rack_now rack_now(const struct sack_recovery *r, const struct cc *c, uint64_t srtt_ns,
                                uint64_t now_ns)
{
    return (struct rack_now){
        .now_ns = now_ns,
        .srtt_ns = srtt_ns,
        .mss = c->mss,
        .in_recovery = !recovery_is_whole(r->mode),
    };
}

static uint32_t flight(const struct sack_recovery *r, seq_t una, seq_t nxt)
{
    return scoreboard_flight(&r->board, (uint32_t)seq_diff(nxt, una));
}

/* ---- Undo ---- */

/* [from, end) goes again. */
static void resending(struct sack_recovery *r, seq_t from, seq_t end)
{
    bool first = seq_eq(r->again, r->again_end);
    r->again = first ? from : seq_min(r->again, from);
    r->again_end = first ? end : seq_max(r->again_end, end);
    r->resent += (uint32_t)seq_diff(end, from);
}

static void remember(struct sack_recovery *r, const struct cc *c, seq_t una, seq_t nxt)
{
    r->may_undo = true;
    r->before = *c;
    r->una = r->again = r->again_end = una;
    r->undo_end = nxt;
    r->resent = 0;
    eifel_begin(&r->eifel);
    if (sack_recovery_unclear(r)) { /* then that was the first retransmission */
        const struct rack *rack = &r->rack;
        eifel_resent(&r->eifel, false, rack->tlp_at_ns);
        resending(r, seq_max(una, seq_sub(rack->tlp_end_seq, rack->tlp_resent)), rack->tlp_end_seq);
    }
}

/* RFC 4015 3.2, without its limit on the burst, which cwnd is in Linux too; unless cwnd has grown
 * beyond what it was long after (RFC 9438 4.9.2). While recovery is on it may be as large as
 * before, or by a segment larger: PRR has not brought it down yet. The user may have changed the
 * algorithm meanwhile. */
static void bring_back(const struct cc *before, struct cc *c, bool in_recovery)
{
    const struct cc_ops *ops = c->ops;
    uint32_t mss = c->mss, cwnd = max_u32(before->cwnd, c->cwnd);
    if (c->cwnd > before->cwnd && !in_recovery)
        return;
    bool cwr = before->cwr && c->cwr; /* what was due before still is, unless it has gone */
    *c = *before;
    c->cwnd = cwnd;
    c->cwr = cwr;
    if (c->ops != ops)
        cc_change(c, ops);
    if (c->mss != mss)
        cc_set_mss(c, mss);
}

/* No undo any more. */
static void forget(struct sack_recovery *r)
{
    r->may_undo = false;
    eifel_end(&r->eifel);
}

/* Nothing was lost. */
static void undo(struct sack_recovery *r, struct cc *c)
{
    bring_back(&r->before, c, !recovery_is_whole(r->mode));
    r->mode = RECOVERY_OPEN;
    forget(r);
    /* RFC 8985 6.2 step 3 sees reordering only where nothing was sent again; with a window of 0 all
     * that is late is, so it would never open. Linux counts this too, and so do we. */
    r->rack.reordering_seen = true;
    scoreboard_lose_none(&r->board);
}

/* The peer has got [left, right) twice. Once that is true of all that was sent again, none of it
 * was lost. Beyond a hole it is no word on what has to fill that; Linux does not count it either.
 * Of more than is left it is no news: the ACK has come twice. */
static bool all_twice(struct sack_recovery *r, const struct sack_block *b, seq_t una)
{
    uint32_t octets = (uint32_t)seq_diff(b->right, b->left);
    if (!r->may_undo || octets > r->resent || seq_lt(b->left, r->again) ||
        seq_lt(r->again_end, b->right) || seq_lt(una, b->right))
        return false;
    r->resent -= octets;
    return r->resent == 0;
}

/* Whether the ACK tells that nothing was lost; dsack: that something has come twice. */
static bool is_spurious(struct sack_recovery *r, const struct sack_ack *ack, bool dsack)
{
    bool all = seq_eq(ack->una, ack->nxt);
    bool first = eifel_acked(&r->eifel, ack->echo_end_ns, ack->advances, all, dsack);
    return first || (dsack && all_twice(r, &ack->seg->opts.sack[0], ack->una));
}

/* ---- SACK ---- */

/* RFC 2883 4: the first block is below SEG.ACK, or within the second. No honest one is longer than
 * any window was. */
static bool is_dsack(const struct sack_ack *ack)
{
    const struct seg *seg = ack->seg;
    const struct sack_block *b = seg->opts.sack;
    if (seg->opts.n_sack == 0 || !seq_lt(b[0].left, b[0].right) ||
        (uint32_t)seq_diff(b[0].right, b[0].left) > ack->wnd_max)
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

/* Of honest blocks each ends where a segment does; of small segments not all are told apart. */
static uint32_t records_max(const struct sack_ack *ack, uint32_t mss)
{
    return 64 + 2 * ((uint32_t)seq_diff(ack->nxt, ack->una) / max_u32(mss, SCOREBOARD_SMALL));
}

static void take_blocks(struct sack_recovery *r, const struct sack_ack *ack, bool dsack,
                        uint32_t mss, struct delivery *d)
{
    const struct tcp_opts *opts = &ack->seg->opts;
    uint32_t most = records_max(ack, mss);
    for (unsigned i = dsack; i < opts->n_sack; i++) {
        if (is_plausible(&opts->sack[i], ack))
            scoreboard_sacked(&r->board, opts->sack[i].left, opts->sack[i].right, most, d);
    }
}

/* ---- Fast recovery ---- */

static void congestion(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                       uint32_t outstanding, uint64_t now_ns)
{
    remember(r, c, una, nxt);
    /* RFC 5681 3.2 step 2: without what was sent beyond cwnd. */
    outstanding = min_u32(outstanding, c->cwnd);
    cc_loss(c, outstanding, now_ns);
    prr_begin(&r->prr, outstanding);
    r->recover = nxt;
    rack_forget_probe(&r->rack);
}

/* RFC 3168 6.1.2: in a window of data cwnd goes down once, for ECN-Echo or loss. What was lost of a
 * later one is the next recovery's. */
static void fast_recovery(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                          uint64_t now_ns)
{
    if (r->mode == RECOVERY_OPEN)
        congestion(r, c, una, nxt, (uint32_t)seq_diff(nxt, una), now_ns);
    r->una = una;
    r->mode = RECOVERY_FAST;
}

/* RFC 6675 5 (4.3): the first retransmission does not wait for cwnd, which may have been on its way
 * down already. */
static void first_goes(const struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt)
{
    c->cwnd = max_u32(c->cwnd, flight(r, una, nxt) + c->mss);
}

/* A window below 2 SMSS is not one to be reduced in proportion. */
static void echo(struct sack_recovery *r, struct cc *c, const struct sack_ack *ack)
{
    uint32_t outstanding = min_u32(ack->outstanding, c->cwnd);
    cc_echo(c, outstanding, ack->now_ns);
    rack_forget_probe(&r->rack);
    if (c->cwnd < c->ssthresh || !seq_lt(ack->una, ack->nxt))
        return;
    prr_begin(&r->prr, outstanding);
    r->recover = ack->nxt;
    r->una = ack->una;
    r->mode = RECOVERY_CWR;
}

bool sack_recovery_unclear(const struct sack_recovery *r)
{
    return r->rack.tlp_out && r->rack.tlp_resent > 0;
}

void sack_recovery_rest(struct sack_recovery *r, struct cc *c, uint64_t now_ns)
{
    if (sack_recovery_unclear(r))
        cc_loss(c, min_u32(r->load, c->cwnd), now_ns);
}

static void recovered(struct sack_recovery *r, struct cc *c, seq_t nxt)
{
    r->undo_end = nxt; /* a round trip, in which the last D-SACKs come */

    if (r->mode == RECOVERY_FAST || r->mode == RECOVERY_CWR)
        c->cwnd = c->ssthresh;
    if (r->mode == RECOVERY_FAST || r->mode == RECOVERY_RTO)
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

/* RFC 8985 7.4.2: a D-SACK of the probe (case 1), a duplicate ACK of a peer that has none (case 2),
 * or neither. */
static bool probe_repaired(struct sack_recovery *r, const struct sack_ack *ack, bool dsack)
{
    const struct tcp_opts *o = &ack->seg->opts;
    seq_t end = r->rack.tlp_end_seq;
    bool case_1 = dsack && seq_lt(o->sack[0].left, end) && seq_leq(end, o->sack[0].right);
    bool case_2 = ack->duplicate && o->n_sack == 0;
    return rack_probe_acked(&r->rack, ack->seg->ack, case_1 || case_2);
}

/* Segments of a D-SACK. */
static uint32_t twice(const struct seg *seg, uint32_t mss)
{
    const struct sack_block *b = &seg->opts.sack[0];
    return (uint32_t)(seq_diff(b->right, b->left) - 1) / mss + 1;
}

struct recovery_ack sack_recovery_ack(struct sack_recovery *r, struct cc *c,
                                      const struct sack_ack *ack)
{
    struct delivery d;
    bool dsack = is_dsack(ack);
    scoreboard_begin(&r->board, &d, r->rack.min_rtt_ns, ack->now_ns);
    d.echo_end_ns = ack->echo_end_ns;
    scoreboard_acked(&r->board, ack->una, &d);
    d.echo_end_ns = TIME_NEVER; /* beyond a hole the echo tells of what lies before it: 7323 4.3 */
    take_blocks(r, ack, dsack, c->mss, &d);
    rack_delivered(&r->rack, &d);

    /* Only now: the ACK that ended a timeout's recovery was itself one that may cover text that had
     * arrived before. */
    if (r->mode == RECOVERY_OPEN)
        c->abc_limit = CC_ABC_LIMIT;
    /* The answer to the tail's loss goes by what was outstanding when the tail was sent: when it is
     * found there is little left. */
    bool repaired = probe_repaired(r, ack, dsack) && r->mode == RECOVERY_OPEN;
    if (repaired) {
        congestion(r, c, ack->una, ack->nxt, r->load, ack->now_ns);
        forget(r);
    }
    rack_round(&r->rack, ack->una);
    if (ack->echo)
        forget(r); /* RFC 4015 3.4 */
    if (dsack)
        rack_dsack(&r->rack, ack->nxt);
    bool spurious = is_spurious(r, ack, dsack);
    if (spurious)
        undo(r, c);
    if (r->mode == RECOVERY_OPEN && seq_lt(r->undo_end, ack->una))
        forget(r);
    bool over = r->mode != RECOVERY_OPEN && seq_leq(r->recover, ack->una);
    if (over)
        recovered(r, c, ack->nxt);

    /* What was sent in a recovery that is over, and is lost, is the next one's. */
    bool found = detect(r, c, ack->srtt_ns, ack->now_ns) || (over && r->board.lost > 0);
    bool begins = found && recovery_is_whole(r->mode);
    if (begins)
        fast_recovery(r, c, ack->una, ack->nxt, ack->now_ns);
    else if (ack->news && r->mode == RECOVERY_OPEN && !repaired)
        echo(r, c, ack);
    bool reducing = r->mode == RECOVERY_FAST || r->mode == RECOVERY_CWR;
    if (reducing)
        c->cwnd = prr_cwnd(&r->prr, d.octets, flight(r, ack->una, ack->nxt), c->ssthresh, c->mss,
                           ack->advances && !found);
    if (begins)
        first_goes(r, c, ack->una, ack->nxt);
    r->recover = seq_max(r->recover, ack->una); /* it does not fall behind by 2^31 octets */
    return (struct recovery_ack){
        .delivered = d.octets,
        .rtt_ns = d.valid && !d.again ? ack->now_ns - d.at_ns : 0,
        .grow = !reducing && !(ack->echo && r->mode == RECOVERY_OPEN),
        .restart_timer = ack->advances,
        .undone = spurious,
        .twice = dsack ? twice(ack->seg, c->mss) : 0,
    };
}

void sack_recovery_reo_timeout(struct sack_recovery *r, struct cc *c, seq_t una, seq_t nxt,
                               uint64_t srtt_ns, uint64_t now_ns)
{
    if (!detect(r, c, srtt_ns, now_ns) || !recovery_is_whole(r->mode))
        return;
    fast_recovery(r, c, una, nxt, now_ns);
    c->cwnd = prr_cwnd(&r->prr, 0, flight(r, una, nxt), c->ssthresh, c->mss, false);
    first_goes(r, c, una, nxt);
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
        remember(r, c, una, nxt);
    /* RFC 3168 6.1.2: ssthresh has gone down already in this window. */
    cc_timeout(c, outstanding, first && r->mode != RECOVERY_CWR, now_ns);
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
    forget(r);
    rack_forget_probe(&r->rack);
    scoreboard_lose_all(&r->board);
}

/* Text up to `end` went for the first time. */
static void loaded(struct sack_recovery *r, seq_t end)
{
    seq_t una = scoreboard_first(&r->board)->start;
    if (seq_leq(r->load_end, una) && !sack_recovery_unclear(r))
        r->load = 0;
    r->load = max_u32(r->load, (uint32_t)seq_diff(end, una));
    r->load_end = end;
}

void sack_recovery_sent(struct sack_recovery *r, seq_t from, seq_t end, seq_t nxt, uint64_t now_ns)
{
    const struct sent *oldest = scoreboard_first(&r->board);
    if (seq_lt(from, nxt) && seq_eq(from, oldest->start))
        eifel_resent(&r->eifel, oldest->again, now_ns);
    scoreboard_sent(&r->board, from, end, now_ns);
    prr_sent(&r->prr, (uint32_t)seq_diff(end, from));
    if (seq_lt(from, nxt))
        resending(r, from, seq_min(end, nxt));
    if (seq_lt(nxt, end))
        loaded(r, end);
}

bool sack_recovery_probes(const struct sack_recovery *r)
{
    return recovery_is_whole(r->mode) && r->board.sacked == 0 && r->board.lost == 0;
}

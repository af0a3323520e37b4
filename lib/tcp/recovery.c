/*
 * Loss recovery without SACK: RFC 6582 section 3.2 over RFC 5681 3.2, and go-back-N after a
 * timeout. For the connection's ACK processing, its timeouts and its output.
 *
 * Does not send, keeps no timer, and does not know the heuristics of RFC 6582 4.1 and 4.2. SYN and
 * FIN are octets like any others here.
 *
 * Sequence numbers: `recover` is the number after the last octet sent, as SND.NXT is, where RFC
 * 6582 means that octet itself. Its "ack_number - 1 > recover" is therefore una > recover, its "up
 * to and including recover" is una >= recover.
 *
 * The range to be sent again: una =< nxt =< end =< SND.NXT. It loses octets only by being
 * acknowledged or sent.
 */
#include "recovery.h"

#include "check.h"
#include "minmax.h"

/* Saturates; recovery's own changes of cwnd obey cc.h's limits. */
static void inflate(struct cc *c, uint32_t segments)
{
    uint64_t cwnd = c->cwnd + (uint64_t)segments * c->mss;
    c->cwnd = cwnd < CC_CWND_MAX ? (uint32_t)cwnd : CC_CWND_MAX;
}

/* The segment at una is to be sent again, and whatever was before: one range holds both by
 * reaching from una to the further end. What was sent since recovery began is not known to be lost.
 */
static void schedule_first(struct recovery *r, const struct cc *c, seq_t una)
{
    seq_t end = seq_min(seq_add(una, c->mss), r->recover);
    if (recovery_pending(r))
        end = seq_max(end, r->end);
    r->nxt = una;
    r->end = end;
}

void recovery_init(struct recovery *r, seq_t iss)
{
    *r = (struct recovery){.mode = RECOVERY_OPEN, .recover = iss, .nxt = iss, .end = iss};
}

/* RFC 6582 3.2 step 2 and section 4: duplicate ACKs that do not cover more than recover come from
 * segments that a timeout made us send twice. After a timeout that holds until recovery is over. */
static bool tells_of_loss(const struct recovery *r, seq_t una)
{
    return r->mode == RECOVERY_CWR || seq_lt(r->recover, una);
}

bool recovery_forgets(const struct recovery *r, seq_t una)
{
    return r->mode == RECOVERY_OPEN && tells_of_loss(r, una);
}

uint32_t recovery_beyond_cwnd(const struct recovery *r, const struct cc *c, seq_t una)
{
    /* The third begins fast recovery, where none tells of a loss any more. */
    return tells_of_loss(r, una) ? r->dup_acks * c->mss : 0;
}

bool recovery_dup_ack(struct recovery *r, struct cc *c, seq_t una, seq_t nxt, uint64_t now_ns)
{
    /* Without text outstanding it is no duplicate ACK (RFC 5681 2 (a)). */
    if (!CHECK(seq_lt(una, nxt)))
        return false;

    if (r->mode == RECOVERY_FAST) {
        inflate(c, 1); /* RFC 5681 3.2 step 4 */
        return false;
    }
    if (r->dup_acks < RECOVERY_DUP_THRESH + 1)
        r->dup_acks++;

    if (r->dup_acks != RECOVERY_DUP_THRESH || !tells_of_loss(r, una))
        return false;

    /* RFC 5681 3.2 step 2: without what limited transmit has sent, which is beyond cwnd. RFC 3168
     * 6.1.2: once in a window of data. */
    if (r->mode != RECOVERY_CWR) {
        cc_loss(c, min_u32(recovery_flight(r, una, nxt), c->cwnd), now_ns);
        r->recover = nxt;
    }
    inflate(c, RECOVERY_DUP_THRESH);
    r->mode = RECOVERY_FAST;
    r->partial_seen = false;
    schedule_first(r, c, una);
    return true;
}

void recovery_echo(struct recovery *r, struct cc *c, uint32_t flight, seq_t una, seq_t nxt,
                   uint64_t now_ns)
{
    if (r->mode != RECOVERY_OPEN)
        return;
    cc_echo(c, min_u32(flight, c->cwnd), now_ns);
    if (seq_lt(una, nxt)) {
        r->mode = RECOVERY_CWR;
        r->recover = nxt;
    }
}

/* RFC 6582 3.2 step 3, the first form of the full acknowledgement's window: it can't burst. */
static void full_ack(struct recovery *r, struct cc *c, seq_t una, seq_t nxt)
{
    r->mode = RECOVERY_OPEN;
    uint32_t flight = recovery_flight(r, una, nxt);
    c->cwnd = min_u32(c->ssthresh, max_u32(flight, c->mss) + c->mss);
}

/* RFC 6582 3.2 step 3: partial window deflation, and the first unacknowledged segment. */
static void partial_ack(struct recovery *r, struct cc *c, uint32_t acked, seq_t una)
{
    c->cwnd -= min_u32(acked, c->cwnd);
    if (acked >= c->mss)
        inflate(c, 1);
    c->cwnd = max_u32(c->cwnd, c->mss);

    /* Inside a longer range (recovery_resend) that segment has just been sent again. */
    if (!recovery_pending(r) || seq_eq(r->nxt, una))
        schedule_first(r, c, una);
}

struct recovery_ack recovery_new_ack(struct recovery *r, struct cc *c, seq_t old_una, seq_t una,
                                     seq_t nxt)
{
    struct recovery_ack meaning = {.grow = true, .restart_timer = true};
    meaning.delivered = (uint32_t)seq_diff(una, old_una);
    bool covered = seq_leq(r->recover, una);

    r->dup_acks = 0;
    r->nxt = seq_max(r->nxt, una);
    r->end = seq_max(r->end, r->nxt);

    switch (r->mode) {
    case RECOVERY_OPEN:
        /* Only now: the ACK that ended a timeout's recovery was itself one that may cover text
         * that had arrived before. */
        c->abc_limit = CC_ABC_LIMIT;
        break;
    case RECOVERY_CWR:
        meaning.grow = false;
        if (covered) {
            r->mode = RECOVERY_OPEN;
            r->recover = seq_sub(una, 1); /* no retransmission is behind it: RFC 6582 4 */
        }
        break;
    case RECOVERY_FAST:
        meaning.grow = false;
        if (covered) {
            full_ack(r, c, una, nxt);
        } else {
            meaning.restart_timer = !r->partial_seen;
            r->partial_seen = true;
            partial_ack(r, c, (uint32_t)seq_diff(una, old_una), una);
        }
        break;
    case RECOVERY_RTO:
    case RECOVERY_MTU:
        if (covered)
            r->mode = RECOVERY_OPEN;
        break;
    }

    /* RFC 6582 6: recover follows una, or it would seem to lie ahead once 2^31 octets are between
     * them. At una - 1 it does not stand in the way of a fast retransmit. */
    r->recover = seq_max(r->recover, seq_sub(una, 1));
    return meaning;
}

void recovery_timeout(struct recovery *r, struct cc *c, seq_t una, seq_t nxt, bool first,
                      uint64_t now_ns)
{
    uint32_t flight = recovery_flight(r, una, nxt);
    uint32_t most = UINT32_MAX;
    if (r->mode == RECOVERY_FAST) {
        /* What duplicate ACKs have let go since recovery began does not raise ssthresh, nor is
         * what they have added to cwnd a window that the path has carried. Without a partial ACK
         * the fast retransmit was lost: a second sign of congestion, which lowers ssthresh a second
         * time (RFC 5681 4.3). */
        most = c->ssthresh;
        c->cwnd = min_u32(c->cwnd, most);
        flight = r->partial_seen ? flight : min_u32(flight, most);
    }
    /* RFC 3168 6.1.2: ssthresh has gone down already in this window. */
    cc_timeout(c, flight, first && r->mode != RECOVERY_CWR, now_ns);
    c->ssthresh = min_u32(c->ssthresh, most);
    c->abc_limit = 1;
    r->mode = RECOVERY_RTO;
    r->dup_acks = 0;
    r->recover = nxt; /* RFC 6582 3.2 step 4 */
    recovery_resend(r, una, nxt);
}

void recovery_resend(struct recovery *r, seq_t una, seq_t nxt)
{
    r->nxt = una;
    r->end = nxt;
}

void recovery_slow_start(struct cc *c, enum recovery_mode mode)
{
    if (mode == RECOVERY_FAST || mode == RECOVERY_CWR)
        c->cwnd = min_u32(c->cwnd, c->ssthresh);
    c->ssthresh = max_u32(c->ssthresh, c->cwnd);
    c->cwnd = c->mss;
    cc_stage_over(c);
}

void recovery_too_big(struct recovery *r, struct cc *c, seq_t una, seq_t nxt)
{
    recovery_slow_start(c, r->mode);
    r->mode = RECOVERY_MTU;
    r->dup_acks = 0;
    /* Smaller segments of before may have arrived: the ACKs for sending them twice are no sign of
     * loss, as after a timeout. */
    r->recover = nxt;
    recovery_resend(r, una, nxt);
}

void recovery_resent(struct recovery *r, seq_t end)
{
    /* The segment may have been longer than the range. */
    r->nxt = end;
    r->end = seq_max(r->end, end);
}

uint32_t recovery_flight(const struct recovery *r, seq_t una, seq_t nxt)
{
    uint32_t flight = (uint32_t)seq_diff(nxt, una);
    /* In fast recovery cwnd is inflated instead (RFC 5681 3.2 step 3). */
    if (r->mode == RECOVERY_FAST)
        return flight;
    return flight - (uint32_t)seq_diff(r->end, r->nxt);
}

/* See check_ecn.h. */
#include "check_ecn.h"

#include "cc.h"
#include "fail.h"

#define BOTH (TCP_ECE | TCP_CWR)

static bool is_setup(const struct seg *seg)
{
    return (seg->flags & BOTH) == (seg->flags & TCP_ACK ? TCP_ECE : BOTH);
}

static void syn_sent(struct ecn_watch *me, const struct seg *seg)
{
    bool setup = is_setup(seg);
    SIM_CHECK(setup || !(seg->flags & BOTH), "ecn", "a SYN with flags %02x (RFC 3168 6.1.1)",
              seg->flags);
    SIM_CHECK(!setup || !(seg->flags & TCP_ACK) || me->peer_setup, "ecn",
              "an ECN-setup SYN-ACK that answers none (RFC 3168 6.1.1)");
    me->setup |= setup;
    me->other |= !setup;
}

/* Whether a SYN of each has said so. */
static bool maybe_agreed(const struct ecn_watch *me)
{
    return me->setup && me->peer_setup;
}

static bool agreed(const struct ecn_watch *me)
{
    return maybe_agreed(me) && !me->other && !me->peer_other;
}

static void check_ect(const struct ecn_watch *me, const struct seg *seg, const struct ecn_sent *s)
{
    bool may = maybe_agreed(me) && !me->other && s->fresh;
    SIM_CHECK(seg->ecn == ECN_NOT_ECT || (seg->ecn == ECN_ECT0 && may), "ecn",
              "flags %02x, %u octets, %s: ECN field %u (RFC 3168 6.1.1, 6.1.5)", seg->flags,
              seg->text_len, s->fresh ? "new" : "not new", seg->ecn);
    bool probe = seg->text_len == 1; /* perhaps: 6.1.6 */
    SIM_CHECK(seg->ecn == ECN_ECT0 || !s->fresh || !agreed(me) || probe, "ecn",
              "new text without ECT (RFC 3168 6.1.2)");
}

static void check_cwr(struct ecn_watch *me, const struct seg *seg, const struct ecn_sent *s)
{
    if (!(seg->flags & TCP_CWR)) {
        SIM_CHECK(!me->must_cwr || !s->fresh || seg->text_len == 1, "ecn",
                  "new text without CWR, though ECE has come (RFC 3168 6.1.2)");
        return;
    }
    SIM_CHECK(s->fresh && maybe_agreed(me), "ecn", "CWR on what is not new text (RFC 3168 6.1.5)");
    SIM_CHECK(me->may_cwr, "ecn", "CWR without a reason, or again (RFC 3168 6.1.2)");
    SIM_CHECK(s->ssthresh != CC_SSTHRESH_INITIAL, "ecn", "CWR, but ssthresh is as ever");
    me->may_cwr = me->must_cwr = false;
    me->cwr_at = s->at;
}

void ecn_sent(struct ecn_watch *me, const struct seg *seg, const struct ecn_sent *s)
{
    check_ect(me, seg, s);
    if (seg->flags & TCP_SYN) {
        syn_sent(me, seg);
        return;
    }
    bool echo = seg->flags & TCP_ECE;
    SIM_CHECK(!echo || me->may_echo, "ecn", "ECE, but no CE has come (RFC 3168 6.1.3)");
    SIM_CHECK(echo || !me->must_echo || s->ends, "ecn", "no ECE, though CE has come (6.1.3)");
    check_cwr(me, seg, s);
    if (s->again) {
        me->again = me->may_cwr = true;
        me->probed = s->sent;
    }
}

void ecn_begin_anew(struct ecn_watch *me)
{
    *me = (struct ecn_watch){.peer_setup = me->peer_setup, .peer_other = me->peer_other};
}

void ecn_arrived(struct ecn_watch *me, const struct seg *seg, bool taken)
{
    if (seg->flags & TCP_SYN) {
        bool setup = is_setup(seg);
        me->peer_setup |= setup;
        me->peer_other |= !setup || seg->ecn != ECN_NOT_ECT;
        return;
    }
    if (seg->text_len == 0)
        return;
    if (seg->flags & TCP_CWR) {
        me->must_echo = false;
        me->may_echo = me->may_echo && !taken;
    }
    if (seg->ecn == ECN_CE && maybe_agreed(me)) {
        me->may_echo = true;
        me->must_echo |= taken && agreed(me);
    }
}

/* One reaction in a window of data: until the segment with CWR is acknowledged ECE is no news. */
void ecn_acked(struct ecn_watch *me, const struct seg *seg, uint64_t ack, bool surely)
{
    me->may_cwr |= !surely || seg->opts.n_sack > 0 || me->probed > 0; /* it may tell of a loss */
    if (ack > me->probed)
        me->probed = 0;
    if (!(seg->flags & TCP_ECE) || seg->flags & TCP_SYN || ack <= me->cwr_at)
        return;
    me->may_cwr = true;
    me->must_cwr |= surely && agreed(me) && !me->again;
}

void ecn_too_big(struct ecn_watch *me)
{
    me->again = true;
    me->must_cwr = false;
}

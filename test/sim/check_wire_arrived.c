/* What reaches an end. See check_wire.h. */
#include "check_wire_parts.h"

static void wire_heard(struct wire_end *me, const struct seg *seg)
{
    me->packets++;
    me->syn_heard += (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (seg_len(seg) > 0)
        storm_reason(&me->storm);
}

void wire_disturbed(struct wire_end *me, const struct seg *seg)
{
    bool waits = me->syn_sent && !me->passive && me->acked == 0;
    wire_heard(me, seg);
    me->sack_heard.twice_more |= seg->text_len > 0; /* it may look as if it had come before */
    if (waits && (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        me->lost = true; /* it takes this for a simultaneous open */
}

bool wire_is_beyond(const struct wire_end *me, const struct wire_end *peer, const struct seg *seg)
{
    return seg_len(seg) > 0 &&
           wire_unwrap(seg->seq, peer->iss, me->arrived) + seg_len(seg) > me->edge_sent;
}

void wire_told(struct wire_end *me, uint32_t mtu, seq_t seq, bool forged, uint64_t now_ns)
{
    me->packets++;
    if (forged)
        return;
    uint64_t at = wire_unwrap(seq, me->iss, me->sent);
    bool in_flight = me->taken && !me->over && !me->dead && !me->lost && !me->ghost &&
                     me->acked_new > 0 && at >= me->acked && at < me->sent;
    const struct resend_seen now = {me->acked_new, me->acked, me->sent, me->mss};
    mtu_told(me->told, &me->mtu, mtu, in_flight, now_ns);
    resend_too_big(&me->resend, &now);
    cc_too_big(&me->cc, &now);
    ecn_too_big(&me->ecn);
}

/* What the peer's ACK and window say to a sender. fresh: it has not been thrown away for its age.
 */
static void arrived_ack(struct wire_end *me, const struct wire_end *peer, const struct seg *seg,
                        bool fresh, bool newest, uint64_t now_ns)
{
    bool syn = seg->flags & TCP_SYN;
    uint64_t ack = wire_unwrap(seg->ack, me->iss, me->sent);
    uint64_t wnd = (uint64_t)seg->wnd << (syn ? 0 : wire_scale(peer, me));
    if (ack > me->sent)
        return; /* of an earlier epoch of ours */
    bool advances = ack > me->acked, duplicate = ack == me->acked || ack == me->acked_new;
    bool surely = (fresh || syn) && ack > me->acked_new; /* perhaps it came before, in an old one */
    if (fresh && ack >= me->acked)
        me->heard_ns = now_ns;
    if (advances || (fresh && ack > me->acked_new))
        me->moved_ns = now_ns;
    if ((fresh || syn) && ack >= me->acked_new) /* an old SYN is trimmed off its ACK (MUST-10) */
        me->acked_new = ack;
    if (fresh && ack >= me->acked && (ack > me->acked || wnd == 0 || ack + wnd < me->sent))
        me->progress_ns = now_ns;
    if (ack > me->acked) {
        me->acked = ack;
        if (fresh)
            me->acked_ns = now_ns;
    }
    if (ack + wnd > me->edge)
        me->edge = ack + wnd;
    if (newest && ack + wnd > me->edge_new)
        me->edge_new = ack + wnd;
    if (newest)
        me->edge_last = ack + wnd;
    if (wnd == 0) {
        me->shut = true;
        me->sack.probed = false; /* what goes again then is a probe of the window */
    } else {
        me->opens++;
    }
    if (newest && ack == me->acked && wnd > me->wnd_sure)
        me->wnd_sure = (uint32_t)wnd;
    const struct resend_seen now = wire_seen(me, peer);
    if (advances)
        resend_acked(&me->resend, &now, surely, now_ns);
    else if (surely)
        resend_partial(&me->resend, &now);
    struct sack_span blocks[SACK_BLOCKS_MAX];
    if (!fresh && !syn)
        me->sack.overflow = true; /* it may be that this ACK has said nothing */
    if (wire_sacks(me, peer))
        sack_acked(&me->sack, ack, blocks, wire_spans(seg, me->iss, ack, blocks), fresh || syn,
                   now_ns);
    else if (!advances && duplicate && seg_len(seg) == 0)
        resend_duplicate(&me->resend, &now);
    resend_window(&me->resend, &now, wnd, newest && ack == me->acked);
    cc_acked(&me->cc, &now);
    cc_window(&me->cc, &now, wnd, newest && ack == me->acked);
    if (seg->flags & TCP_ECE)
        cc_echoed(&me->cc);
    ecn_acked(&me->ecn, seg, ack, newest && surely);
}

/* Whether a segment that begins at `at` moves TS.Recent, as far as can be told. */
static enum ts_record recorded(const struct wire_end *me, const struct seg *seg, uint64_t at,
                               bool open)
{
    const struct ack_watch *a = &me->ack_watch;
    if (at > (me->ack_sent > 1 ? me->ack_sent : 1))
        return TS_NOT_RECORDED;
    bool right =
        wire_unwrap(seg->ack, me->iss, me->sent) + me->wnd_sure >= me->acked; /* RFC 5961 5.2 */
    bool sure = open && right && !(seg->flags & TCP_SYN) && at == a->contig && at == me->ack_sent &&
                a->n_beyond == 0 && !a->refuses && !a->doubtful && !a->overflow;
    return sure ? TS_RECORDED : TS_MAYBE_RECORDED;
}

void wire_arrived(struct wire_end *me, struct wire_end *peer, const struct seg *seg, uint32_t epoch,
                  uint64_t now_ns)
{
    bool syn = seg->flags & TCP_SYN;
    wire_heard(me, seg);
    if (syn && !me->peer_syn)
        me->peer_epoch = epoch;
    if ((syn || me->peer_syn) && me->peer_epoch != peer->epoch)
        me->lost = true; /* connected with what its peer was before: a RST will end it */
    if (seg->flags & TCP_RST || epoch != peer->epoch)
        return;
    uint64_t at = wire_unwrap(seg->seq, peer->iss, me->arrived), end = at + seg_len(seg);
    if (syn)
        me->peer_syn = true;
    bool open = me->taken && !me->over && !me->dead && !me->lost && !me->ghost && me->acked > 0 &&
                me->ack_sent > 0;
    enum ts_record record = recorded(me, seg, at, open);
    enum ts_age age = ts_arrived(&me->ts, &peer->ts, seg, record);
    if (age == TS_OUTDATED) {
        sack_outdated(&me->sack_heard, &me->ack_watch, at + syn, at + syn + seg->text_len);
        ack_unacceptable(&me->ack_watch, end > at && open && !syn, now_ns);
        if (end == at && seg->flags & TCP_ACK && me->syn_sent) /* it may be but overtaken */
            arrived_ack(me, peer, seg, false, false, now_ns);
        return;
    }
    if (age == TS_UNSURE)
        me->ack_watch.doubtful = true;
    ecn_arrived(&me->ecn, seg, record == TS_RECORDED && age == TS_GOOD && at < me->edge_sent);
    /* What may lie left of the window is thrown away, and its ACK with it. */
    bool fresh = (end > at ? end > me->arrived : at >= me->arrived) && age == TS_GOOD;
    bool newest = at >= me->arrived && age == TS_GOOD;
    if (end > me->arrived)
        me->arrived = end;
    uint64_t ack = wire_unwrap(seg->ack, me->iss, me->sent);
    if (open && ack + me->wnd_sure < me->acked) {
        open = false; /* RFC 5961 5.2: so old an ACK is a reason to throw the text away */
        me->ack_watch.refuses = true;
    }
    if (wire_sacks(me, peer))
        sack_heard(&me->sack_heard, &me->ack_watch, at + syn, at + syn + seg->text_len,
                   me->edge_sent, open && !syn, now_ns);
    ack_arrived(&me->ack_watch, at, end, open && !syn, now_ns);
    if (!(seg->flags & TCP_ACK) || !me->syn_sent)
        return;
    if (me->peer_syn) /* before, there is no connection that it could be an ACK for */
        arrived_ack(me, peer, seg, fresh, newest, now_ns);
}

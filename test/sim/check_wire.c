/* What an end sends. See check_wire.h. */
#include "check_wire_parts.h"

#include <string.h>

#include "fail.h"
#include "nstime.h"
#include "payload.h"
#include "tcp.h"

/* A listener has begun anew. When the peer still waits for its first SYN-ACK, the connection that
 * comes of it is as good as the first; otherwise it is a ghost, an answer to an old SYN. */
static void begin_anew(struct wire_end *me, struct wire_end *peer)
{
    SIM_CHECK(me->passive && (!me->taken || me->gone), "wire",
              "another ISS on the same connection");
    if (me->taken || peer->peer_syn || peer->over) {
        me->ghost = true;
        return;
    }
    me->syn_sent = me->fin_sent = me->edge_scaled = false;
    me->sent = me->ack_sent = me->edge_sent = me->small_end = 0;
    me->acked = me->acked_new = me->edge = me->edge_new = 0;
    me->wnd_sure = 0;
    memset(&me->sack, 0, sizeof me->sack);
    me->cc = (struct cc_watch){0};
    me->ts.sent = me->ts.offered = false;
    ecn_begin_anew(&me->ecn);
    me->resend = (struct resend_watch){.rto_min_ns = me->resend.rto_min_ns};
}

static void sent_syn(struct wire_end *me, struct wire_end *peer, const struct seg *seg,
                     uint64_t now_ns)
{
    if (me->syn_sent && !seq_eq(seg->seq, me->iss)) {
        begin_anew(me, peer);
        if (me->ghost)
            return;
    }
    int shift = seg->opts.has_wscale ? seg->opts.wscale : -1;
    uint16_t mss = seg->opts.has_mss ? seg->opts.mss : 0;
    SIM_CHECK(seg->text_len == 0, "syn", "text in a SYN");
    SIM_CHECK(!(seg->flags & TCP_FIN), "syn", "SYN with FIN");
    SIM_CHECK(shift <= 14, "syn", "window scale %d", shift);
    SIM_CHECK(mss > 0 && mss <= me->mss, "syn", "MSS %u announced, the path takes %u", mss,
              me->mss);
    if (me->syn_sent) {
        SIM_CHECK(shift == me->shift && mss == me->mss_sent, "syn", "options have changed");
        SIM_CHECK(me->syn_heard || resend_after(&me->resend, now_ns - me->syn_ns), "again",
                  "SYN again after %llu us",
                  (unsigned long long)((now_ns - me->syn_ns) / NS_PER_US));
    } else {
        SIM_CHECK(!me->surely || me->cookie || seq_leq(me->beyond, seg->seq), "time-wait",
                  "the new ISS lies before the end of what was sent"); /* MAY-2 */
        me->syn_sent = true;
        me->iss = seg->seq;
        me->epoch = seg->seq.v;
        me->iss_ns = me->syn_ns = now_ns;
        me->shift = shift;
        me->mss_sent = mss;
        me->sack_permitted = seg->opts.has_sack_permitted;
        me->sent = 1;
    }
    if (!me->syn_heard) /* an answer to the peer's SYN does not start the timer anew */
        me->syn_ns = now_ns;
    me->syn_heard = me->cookie && me->syn_heard > 0 ? me->syn_heard - 1 : 0;
    if (seg->flags & TCP_ACK) {
        SIM_CHECK(me->peer_syn, "syn", "SYN-ACK, but no SYN has arrived");
        SIM_CHECK(!me->passive || !me->sack_permitted || peer->sack_permitted, "syn",
                  "SACK-permitted in a SYN-ACK, not in the SYN (RFC 2018 2)");
        SIM_CHECK(!me->passive || shift < 0 || peer->shift >= 0, "syn",
                  "window scale in a SYN-ACK, not in the SYN (RFC 7323 2.2)");
    }
}

/* Silly window avoidance and Nagle on new text [at, end). urgent: Nagle does not hold it back. */
static void check_small(struct wire_end *me, const struct wire_end *peer, uint64_t at, uint64_t end,
                        uint32_t mss, bool urgent, uint64_t now_ns)
{
    uint64_t len = end - at, more = me->written + 1 - end;
    uint32_t head = me->head + wire_options(me, peer);
    if (len % mss == 0 || mtu_divides(me->told, head, len) || mtu_fallen_back(&me->mtu, head, len))
        return;
    if (more == 0) {
        /* A small one that this one holds as well is no other. */
        bool small_out = me->small_end > me->acked && me->small_end <= at;
        bool may = me->nodelay || me->closed || urgent || !small_out;
        SIM_CHECK(may || sack_was_probe(&me->sack), "nagle",
                  "%llu octets while a small segment is unacknowledged", (unsigned long long)len);
    } else {
        /* Cut short although more is there: by the window, and then not for nothing. */
        bool waited = now_ns - me->text_at_ns >= 100 * NS_PER_MS;
        uint64_t edge = me->edge_last < me->edge_new ? me->edge_last : me->edge_new;
        bool at_edge = end + (UINT64_C(1) << wire_scale(peer, me)) > edge;
        bool may = waited || (at_edge && len >= me->wnd_sure / 2);
        SIM_CHECK(may || sack_was_probe(&me->sack), "silly sender",
                  "%llu octets, MSS %u, %llu more, window room %lld, largest window %u",
                  (unsigned long long)len, mss, (unsigned long long)more,
                  (long long)(me->edge_new - end), me->wnd_sure);
    }
    me->small_end = end;
}

/* RFC 6298 5.5: while nothing arrives, the same text is sent again at doubling intervals. RFC 9293
 * 3.8.6.1, SHLD-30: so is a window probe, while the window stays shut. */
static void check_backoff(struct wire_end *me, uint64_t at, uint64_t now_ns)
{
    const uint64_t slack_ns = 20 * NS_PER_MS, rto_max_ns = 60 * NS_PER_S;
    uint64_t interval = now_ns - me->again.ns;
    bool probe = at >= me->edge;
    bool silence = at == me->again.at && interval > 0 &&
                   (probe ? me->again.opens == me->opens : me->again.packets == me->packets);
    uint64_t least = 2 * me->again.interval_ns;
    SIM_CHECK(!silence || (me->shut && !probe) ||
                  interval + slack_ns >= (least < rto_max_ns ? least : rto_max_ns),
              "backoff", "sent again after %llu ms, before that after %llu ms",
              (unsigned long long)(interval / NS_PER_MS),
              (unsigned long long)(me->again.interval_ns / NS_PER_MS));
    /* Between two timeouts; the first may have come while the timer ran for a longer time than RTO
     * is now (RFC 6582 3.2: a second partial ACK does not start it anew). */
    me->again.interval_ns = silence && me->again.silence ? interval : 0;
    me->again.silence = silence;
    me->again.at = at;
    me->again.ns = now_ns;
    me->again.packets = me->packets;
    me->again.opens = me->opens;
}

static void sent_text(struct wire_end *me, const struct wire_end *peer, const struct seg *seg,
                      uint64_t at, uint64_t now_ns)
{
    uint64_t end = at + seg->text_len;
    uint32_t mss = wire_mss_limit(me, peer);
    SIM_CHECK(me->peer_syn, "text", "text before the peer's SYN");
    SIM_CHECK(at >= 1 && at <= me->sent, "text", "at %llu, sent so far %llu: a gap",
              (unsigned long long)at, (unsigned long long)me->sent);
    SIM_CHECK(end - 1 <= me->written, "text", "up to %llu, written are %llu",
              (unsigned long long)end - 1, (unsigned long long)me->written);
    SIM_CHECK(!me->fin_sent || end <= me->fin_at, "fin", "text behind the FIN");
    uint32_t piece = seg->gso_size ? seg->gso_size : seg->text_len;
    SIM_CHECK(piece <= mss, "mss", "packets of %u octets, MSS %u", piece, mss);
    mtu_sent(&me->mtu, me->head + wire_options(me, peer) + piece, now_ns);
    size_t good = payload_verify(me->stream, at - 1, seg->text[0].ptr, seg->text_len);
    SIM_CHECK(good == seg->text_len, "payload", "wrong octet at %llu of what is sent",
              (unsigned long long)(at - 1 + good));
    if (at < me->sent)
        check_backoff(me, at, now_ns);
    if (end > me->sent) {
        bool probe = end == me->edge + 1 && seg->text_len == 1;
        SIM_CHECK(end <= me->edge || probe, "window", "text up to %llu, the peer offers up to %llu",
                  (unsigned long long)end, (unsigned long long)me->edge);
        if (!probe && at == me->sent) /* text sent before may be filled up with new */
            check_small(me, peer, at, end, mss, seg->flags & TCP_URG, now_ns);
        me->sent = end;
    }
    me->text_at_ns = now_ns;
}

/* We have acknowledged the peer's FIN. */
static bool fin_taken(const struct wire_end *me, const struct wire_end *peer)
{
    return peer->fin_sent && me->ack_sent > peer->fin_at;
}

/* Text and FIN, [at, end) of the stream: for the first time, or again, or both. */
static void check_again(struct wire_end *me, const struct wire_end *peer, uint64_t at, uint64_t end,
                        uint64_t now_ns)
{
    const struct resend_seen now = wire_seen(me, peer);
    /* The peer's FIN has crossed ours, which acknowledges it, once (lib/README.md). One that goes
     * again for another reason may do so before that FIN is taken (seed 1913772: not by a full
     * accept queue), and does not use that up. */
    bool crosses = me->fin_sent && at == me->fin_at && !me->crossed && fin_taken(me, peer);
    /* Without memory for a record of what was sent when, more seems to be lost (scoreboard.h). */
    bool lost = wire_sacks(me, peer) &&
                (sack_sent(&me->sack, &now, at, end, resend_timeout(&me->resend, now_ns), now_ns) ||
                 me->ack_watch.refuses);
    bool probe = wire_sacks(me, peer) && (me->sack.may_probe || me->sack.overflow);
    bool fin = me->fin_sent && at == me->fin_at;
    /* What is acknowledged goes again when that ACK lay left of the window. */
    bool excused = at >= me->sent || end > me->sent || end <= me->acked || probe || fin;
    SIM_CHECK(excused || !me->clean || me->shut, "needless",
              "text sent again, but nothing was lost");
    if (at < me->sent && !probe && !fin)
        cc_again(&me->cc, &now, at, !lost, me->ssthresh);
    uint64_t again_end = end < me->sent ? end : me->sent;
    if (at < me->sent && lost)
        resend_perhaps(&me->resend, &now, again_end, now_ns);
    if (at < me->sent && crosses)
        me->crossed = true;
    else if (at < me->sent && !lost &&
             (resend_permits(&me->resend, at, again_end, now_ns) || !sack_was_probe(&me->sack)))
        resend_again(&me->resend, &now, at, again_end, now_ns);
    cc_sent(&me->cc, end > me->sent ? end - me->acked_new : 0);
    if (end > me->sent)
        resend_first(&me->resend, me->acked_new == me->sent, now_ns);
}

static void sent_fin(struct wire_end *me, const struct wire_end *peer, uint64_t at)
{
    SIM_CHECK(me->closed, "fin", "nobody has closed");
    SIM_CHECK(at == me->written + 1, "fin", "at %llu, written are %llu", (unsigned long long)at,
              (unsigned long long)me->written);
    SIM_CHECK(me->fin_sent || at <= me->edge, "window", "FIN at %llu, the peer offers up to %llu",
              (unsigned long long)at, (unsigned long long)me->edge);
    me->crossed = me->crossed || (!me->fin_sent && fin_taken(me, peer));
    me->fin_sent = true;
    me->fin_at = at;
    if (me->sent < at + 1)
        me->sent = at + 1;
}

/* Whether a pure ACK at this place may be a keep-alive (RFC 9293 3.8.4). One behind a probe of a
 * shut window lies in front of SND.NXT too, but there the probe is not acknowledged; or only by a
 * segment that is old itself and thrown away, its ACK with it (seed 1516, super-segments of 44
 * MSS): it is a keep-alive for sure when acked_new says so. */
static bool like_keepalive(const struct wire_end *me, uint64_t at)
{
    return at + 1 == me->sent && me->acked == me->sent;
}

/* So many SACK blocks have room in the segment, for sure. With text of an MSS that a router has
 * made less, or a black hole, it is not known. */
static unsigned sack_room(const struct wire_end *me, const struct wire_end *peer,
                          const struct seg *seg)
{
    uint32_t piece = seg->gso_size ? seg->gso_size : seg->text_len, mss = wire_mss_limit(me, peer);
    uint32_t room = TCP_HDR_MAX - TCP_HDR_LEN - wire_options(me, peer);
    unsigned most = 0;
    if (piece > 0 && (me->told->n > 0 || me->mtu.fallen || piece > mss))
        return 0;
    if (piece > 0 && mss - piece < room)
        room = mss - piece;
    while (most < SACK_BLOCKS_MAX && tcp_sack_len(most + 1) <= room)
        most++;
    return most;
}

static void sent_sack(struct wire_end *me, const struct wire_end *peer, const struct seg *seg,
                      uint64_t ack)
{
    struct sack_span blocks[SACK_BLOCKS_MAX];
    const struct sack_ack_sent s = {
        .ack = ack,
        .fin = peer->fin_sent ? peer->fin_at : UINT64_MAX,
        .blocks = blocks,
        .n = wire_spans(seg, peer->iss, ack, blocks),
        .most = sack_room(me, peer, seg),
        .text = seg->text_len > 0,
    };
    /* A keep-alive is thrown away, and settles nothing. */
    bool keepalive = seg_len(seg) == 0 && me->keepalive.on &&
                     like_keepalive(me, wire_unwrap(seg->seq, me->iss, me->sent));
    if (wire_sacks(me, peer) && !(seg->flags & TCP_SYN) && !(keepalive && s.n == 0))
        sack_told(&me->sack_heard, &me->ack_watch, &s);
}

static void sent_ack(struct wire_end *me, const struct wire_end *peer, const struct seg *seg)
{
    uint64_t ack = wire_unwrap(seg->ack, peer->iss, me->arrived);
    bool syn = seg->flags & TCP_SYN;
    int shift = syn ? 0 : wire_scale(me, peer);
    uint64_t edge = ack + ((uint64_t)seg->wnd << shift);
    SIM_CHECK(me->peer_syn, "ack", "nothing has arrived yet");
    SIM_CHECK(seg->opts.n_sack == 0 || wire_sacks(me, peer), "sack", "nobody has permitted it");
    sent_sack(me, peer, seg, ack);
    ack_sent(&me->ack_watch, ack, peer->fin_sent && ack == peer->fin_at + 1);
    SIM_CHECK(ack >= me->ack_sent, "ack", "%llu after %llu", (unsigned long long)ack,
              (unsigned long long)me->ack_sent);
    /* The peer's FIN moves RCV.NXT, not the buffer. */
    if (peer->fin_sent && ack > peer->fin_at)
        edge--;
    /* Not left (SHLD-14), but for less than one unit of the scaled field (RFC 7323 2.4), and in a
     * SYN-ACK sent again, whose field can't say what an ACK in between has said. */
    uint64_t grain = UINT64_C(1) << shift;
    SIM_CHECK(syn || edge + grain > me->edge_sent, "window shrinks",
              "right edge at %llu, it was at %llu", (unsigned long long)edge,
              (unsigned long long)me->edge_sent);
    if (edge < me->edge_sent)
        edge = me->edge_sent;
    /* MUST-39: steps of at least one MSS or half the buffer, or what rounding costs. */
    uint64_t step = edge - me->edge_sent, half = me->rcvbuf / 2;
    uint64_t worth = me->mss < half ? me->mss : half;
    bool capped = seg->wnd == UINT16_MAX || me->capped; /* the field says less than there is */
    me->capped = seg->wnd == UINT16_MAX;
    SIM_CHECK(!me->edge_scaled || step < 2 * grain || capped || step + grain > worth,
              "silly receiver", "the window moves by %llu octets", (unsigned long long)step);
    me->edge_scaled = !syn;
    me->ack_sent = ack;
    me->edge_sent = edge;
}

static void sent_keepalive(struct wire_end *me, uint64_t now_ns)
{
    const struct keepalive_settings *k = &me->keepalive;
    uint64_t idle_ns = k->idle_ms * NS_PER_MS, interval_ns = k->interval_ms * NS_PER_MS;
    SIM_CHECK(k->on, "keep-alive", "it is off");
    SIM_CHECK(me->fin_sent || !me->closed, "keep-alive", "a FIN waits to be sent");
    SIM_CHECK(me->written + 1 + me->fin_sent == me->sent, "keep-alive", "text waits to be sent");
    bool first = me->heard_ns >= me->probed_ns;
    uint64_t since_ns = now_ns - (first ? me->heard_ns : me->probed_ns);
    uint64_t least_ns = first || idle_ns < interval_ns ? idle_ns : interval_ns;
    SIM_CHECK(since_ns >= least_ns, "keep-alive", "after %llu ms only",
              (unsigned long long)(since_ns / NS_PER_MS));
    me->probed_ns = now_ns;
}

static void sent_pure(struct wire_end *me, uint64_t at, uint64_t now_ns)
{
    if (like_keepalive(me, at) && me->acked_new == me->sent) {
        sent_keepalive(me, now_ns);
    } else if (!(like_keepalive(me, at) && me->keepalive.on)) {
        SIM_CHECK(at <= me->sent, "ack", "sequence number beyond what is sent");
        storm_ack(&me->storm, now_ns);
    }
}

bool wire_is_again(const struct wire_end *me, const struct seg *seg)
{
    return me->syn_sent && seg->text_len > 0 && wire_unwrap(seg->seq, me->iss, me->sent) < me->sent;
}

uint32_t wire_epoch(const struct wire_end *me)
{
    return me->epoch + me->ghost;
}

void wire_sent(struct wire_end *me, struct wire_end *peer, const struct seg *seg, uint64_t now_ns)
{
    if (seg->flags & TCP_RST) {
        SIM_CHECK(seg->text_len == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)), "reset",
                  "RST with text, SYN or FIN");
        SIM_CHECK(!(seg->flags & TCP_ACK) || !me->peer_syn || peer->ghost || me->lost ||
                      wire_unwrap(seg->ack, peer->iss, me->arrived) >= 1,
                  "reset", "the RST acknowledges not even the SYN");
        ack_reset(&me->ack_watch);
        if (!me->lost && !peer->lost && !me->ghost && !peer->ghost)
            ts_sent_reset(&me->ts, &peer->ts, seg);
        return;
    }
    if (me->lost || peer->lost)
        return;
    bool anew = me->passive && me->gone && seg->flags & TCP_SYN;
    SIM_CHECK(!me->over || me->ghost || anew, "after the end", "a segment with flags %02x",
              seg->flags);
    if (seg->flags & TCP_SYN) {
        sent_syn(me, peer, seg, now_ns);
    } else {
        SIM_CHECK(me->ghost || me->syn_sent, "syn", "a segment before the SYN");
        SIM_CHECK(seg->flags & TCP_ACK, "ack", "a segment without ACK");
        SIM_CHECK(!seg->opts.has_mss && !seg->opts.has_wscale && !seg->opts.has_sack_permitted,
                  "syn", "MSS, scale or SACK-permitted without SYN");
    }
    if (me->ghost) {
        SIM_CHECK(seg_len(seg) == (seg->flags & TCP_SYN ? 1u : 0u), "wire", "text from a ghost");
        return;
    }
    uint64_t at = wire_unwrap(seg->seq, me->iss, me->sent);
    if (me->cookie && seg->flags & TCP_SYN)
        ts_sent_cookie(&me->ts, &peer->ts, seg);
    else
        ts_sent(&me->ts, &peer->ts, seg, me->passive);
    if (seg->text_len > 0 && at < me->sent)
        mtu_sent_again(&me->mtu, at, me->acked, me->acked_new);
    const struct ecn_sent ecn = {
        .at = at,
        .sent = me->sent,
        .fresh = seg->text_len > 0 && at >= me->sent,
        .again = seg->text_len > 0 && at < me->sent,
        .ends = me->fin_sent || seg->flags & TCP_FIN,
        .ssthresh = me->ssthresh,
    };
    ecn_sent(&me->ecn, seg, &ecn);
    if (seg->flags & TCP_ACK)
        sent_ack(me, peer, seg);
    if (seg_len(seg) > 0 && !(seg->flags & TCP_SYN))
        check_again(me, peer, at, at + seg_len(seg), now_ns);
    if (seg->text_len > 0)
        sent_text(me, peer, seg, at, now_ns);
    if (seg->flags & TCP_FIN)
        sent_fin(me, peer, at + seg->text_len);
    if (seg_len(seg) == 0)
        sent_pure(me, at, now_ns);
}

/*
 * Checkers of what goes over the wire, one struct per end of a connection. Told of every segment
 * that an end sends and of every one that reaches it, they hold:
 *
 *   - text is the stream's, what was written, without gaps, within MSS and the peer's window
 *   - the right edge of the offered window and the acknowledgement number never move back (the
 *     edge not by a unit of the scaled field: RFC 7323 2.4)
 *   - nothing is acknowledged that has not arrived
 *   - SYN and FIN keep their places; MSS and window scale only in SYN
 *   - no silly windows on either side, Nagle
 *   - SACK blocks tell of what has arrived, where both have permitted them, and of all of it
 *   - timestamps are there or not, as agreed, and go on
 *   - ECN is agreed upon, what may be marked is ECT, marks are echoed, and answered
 *   - nothing is sent again, and no pure ACK is sent, without a reason
 *   - what is lost brings ssthresh down
 *   - nothing is sent that a router has said to be too big
 *   - keep-alives go only when they are on, the connection is idle and the time has passed
 *   - after an end is over it sends nothing but RST
 *
 * Offsets are 64 bits: 0 is the SYN, 1 the first octet of text.
 */
#ifndef CHECK_WIRE_H
#define CHECK_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "check_ack.h"
#include "check_cc.h"
#include "check_ecn.h"
#include "check_mtu.h"
#include "check_resend.h"
#include "check_sack.h"
#include "check_storm.h"
#include "check_ts.h"
#include "keepalive.h"
#include "seg.h"

struct wire_end {
    /* What the world knows and tells. */
    uint64_t stream;  /* of payload.h */
    uint64_t written; /* octets send() took */
    bool closed;      /* shutdown_send() or close() was called: a FIN may come */
    bool over;        /* aborted, or an error was learned: nothing but RST may come */
    bool nodelay;
    bool clean;            /* nothing is lost or late: nothing has to be sent again */
    bool passive;          /* opened by a listener: may begin anew while nobody has accepted it */
    bool taken;            /* accepted, or opened by connect() */
    bool gone;             /* and given up since */
    bool cookie;           /* its last SYN-ACK was a SYN cookie, */
    bool cookie_once;      /* or one before it */
    bool dead;             /* the engine has no connection for it any more */
    uint32_t mss;          /* most this end's own path takes: MTU less headers */
    uint32_t head;         /* octets of IP and TCP header, in a segment without options */
    struct mtu_list *told; /* what routers have said about packets to the peer's host */
    uint32_t rcvbuf;       /* smallest receive buffer it may have */
    struct keepalive_settings keepalive;
    uint32_t ssthresh; /* the engine's, when it sends text again, or CWR; 0: not known */

    /* What it has sent. */
    uint32_t epoch; /* its sequence space: another when a listener begins anew, but for a cookie */
    bool ghost;     /* a listener has answered an old SYN: nothing more is known of this end */
    bool lost;      /* this end talks to an earlier epoch of its peer: nothing more is checked */
    bool syn_sent, fin_sent;
    seq_t iss;
    uint64_t iss_ns, syn_ns; /* when SYN was first sent, and last without being asked for it */
    bool reopens;            /* its four-tuple may have been in TIME-WAIT, */
    bool surely;             /* or was so for sure, */
    seq_t beyond;            /* and what was sent then ended here */
    int shift;               /* offered; -1: none */
    uint16_t mss_sent;       /* announced; 0: none */
    uint64_t sent;           /* highest offset, exclusive */
    uint64_t fin_at;
    bool crossed; /* it was sent again because the peer's has crossed it, or that has not */
    uint64_t ack_sent, edge_sent; /* in the peer's offsets; the rightmost edge ever */
    bool capped;                  /* the window last sent was all that the field can say */
    bool edge_scaled;             /* edge_sent was given by a segment without SYN */
    uint64_t small_end;           /* end of the last small segment of new text */
    uint64_t text_at_ns;          /* when text was last sent */
    struct {
        uint64_t at, ns, interval_ns, packets, opens;
        bool silence;
    } again;            /* the last text that was sent again */
    uint64_t probed_ns; /* when the last keep-alive went */
    struct resend_watch resend;
    bool sack_permitted;
    struct sack_watch sack;
    struct cc_watch cc;
    struct ts_watch ts;
    struct ecn_watch ecn;
    struct storm_watch storm;
    struct mtu_watch mtu;

    /* What has reached it. */
    struct ack_watch ack_watch;
    struct sack_heard sack_heard;
    bool peer_syn;        /* the peer's SYN */
    uint32_t syn_heard;   /* so many, since SYN was last sent; but one by each cookie */
    uint32_t peer_epoch;  /* which its peer was in then */
    uint64_t arrived;     /* highest offset of the peer, exclusive */
    uint64_t acked, edge; /* the peer's ACKs and the edges it offered, in our offsets */
    uint64_t acked_new;   /* ACKs of segments that were not thrown away for their age */
    uint64_t edge_new;    /* the same of segments in order: SND.WL1 lets no older window count */
    uint64_t edge_last;   /* and of the last: two of one number may have changed places */
    bool shut;            /* the peer's window was shut once, and may have been probed */
    uint32_t wnd_sure;    /* the largest window that the engine has not thrown away */
    uint64_t packets;
    uint64_t opens;       /* windows that were not shut */
    uint64_t acked_ns;    /* when an ACK last advanced */
    uint64_t heard_ns;    /* when a segment with a good ACK last arrived */
    uint64_t progress_ns; /* when an ACK last advanced, or a window probe was answered */
    uint64_t moved_ns;    /* the same at the latest: by ACKs that may have been taken */
};

/* `me` sends seg; its text begins at seg->text[0]. */
void wire_sent(struct wire_end *me, struct wire_end *peer, const struct seg *seg, uint64_t now_ns);

/* Whether seg, which `me` is about to send, begins with something that it has sent before. */
bool wire_is_again(const struct wire_end *me, const struct seg *seg);

/* Of the segment it has sent last. A ghost has one of its own: what was sent before counts on. */
uint32_t wire_epoch(const struct wire_end *me);

/* seg, sent by `peer` in its epoch, reaches `me`, as it was sent. */
void wire_arrived(struct wire_end *me, struct wire_end *peer, const struct seg *seg, uint32_t epoch,
                  uint64_t now_ns);

/* A segment reaches the engine that may be answered for this end, though it is not of its peer:
 * another connection's with the same four-tuple, or forged. */
void wire_disturbed(struct wire_end *me, const struct seg *seg);

/* Whether seg, which `peer` has sent, reaches beyond the window that `me` has told. */
bool wire_is_beyond(const struct wire_end *me, const struct wire_end *peer, const struct seg *seg);

/* A router's word, about the segment that `me` has sent at `at`. forged: it is no router's. */
void wire_told(struct wire_end *me, uint32_t mtu, seq_t at, bool forged, uint64_t now_ns);

#endif

/*
 * The transmission control block: one connection's state (RFC 9293 3.3.1, with its names).
 *
 * The struct is shared by the files of tcp/ and by stack/, which owns it. Of its members, `state`
 * is written by state.c alone. The calls on a connection are in user.h, arrives.h, output.h and
 * timeout.h; after any of them the caller looks at `events` and asks output() for segments.
 */
#ifndef TCB_H
#define TCB_H

#include <stdbool.h>
#include <stdint.h>

#include "ackdelay.h"
#include "busy.h"
#include "cc.h"
#include "config.h"
#include "err.h"
#include "keepalive.h"
#include "rcvq.h"
#include "rcvwnd.h"
#include "rto.h"
#include "seg.h"
#include "state.h"
#include "timestamps.h"
#include "trace.h"

/* What happened, for the user to learn: bits of tcb.events. */
#define TCB_EV_ESTABLISHED 0x01u
#define TCB_EV_ACKED       0x02u
#define TCB_EV_ARRIVED     0x04u
#define TCB_EV_CLOSED      0x08u
#define TCB_EV_TROUBLE     0x10u
#define TCB_EV_URGENT      0x20u

/* There may be very many connections that have nothing to do: what only those need that have is in
 * struct busy. What most segments look at comes first. */
struct tcb {
    struct busy *busy; /* while something goes on; see busy.h */
    struct tcp_common *common;
    const struct flow *flow;             /* the caller's */
    const struct tcp_settings *settings; /* shared; see tcp_set() */

    enum tcp_state state : 8;
    bool passive : 1;       /* SYN-RECEIVED was reached from LISTEN (MUST-11) */
    bool shift_offered : 1; /* our SYN carries window scale: always when active, else if the peer's
                             * did */
    bool syn_timed_out : 1; /* our SYN was taken to be lost: RFC 5681 3.1, RFC 6298 5.7 */
    bool more : 1;          /* the last SEND was without PUSH (3.9.1.2): more is to follow */
    bool held : 1;          /* and so its text, less than a segment, waits */
    bool flushed : 1;       /* what is queued goes although the user has corked it */
    bool up_news : 1;       /* there is urgent data, and the peer does not know it yet */
    bool up_taken : 1;      /* the octet before RCV.UP was RECEIVEd out of band */
    bool fin_queued : 1;    /* the user has CLOSEd: a FIN follows the send queue */
    bool fin_sent : 1;
    bool fin_seen : 1; /* the peer's FIN lies in the window, RCV.NXT may not have reached it yet */
    bool no_receive : 1; /* shutdown: what arrives is acknowledged and thrown away */
    bool orphan : 1; /* the user has given the connection up: what arrives is answered with RST */
    bool probe : 1;  /* the persist timer ran out: the next segment goes whatever the window says */
    bool reset_peer : 1; /* a RST is to be sent: the last thing this connection does */
    bool in_trouble : 1; /* R1 was reported */
    bool advise : 1; /* and is reached by each timeout from then on; the caller tells IP and clears
                      */
    bool sack : 1;   /* SACK-permitted: we offer it; from the peer's SYN on: both have said so */
    bool ts : 1;     /* the same of timestamps (RFC 7323 3.2): Snd.TS.OK */
    bool ecn : 1;    /* the same of ECN (RFC 3168 6.1.1) */
    bool ecn_echo : 1;   /* CE has come, and no CWR since: our ACKs have ECE */
    bool ecn_seen : 1;   /* ECT or CE has come */
    bool loss_probe : 1; /* PTO ran out (RFC 8985 7.3): a segment goes whatever cwnd is */
    bool no_room : 1; /* memory was refused, or text thrown away for want of it; the caller counts
                       * and clears */

    /* Receive sequence variables; RCV.WND is tcb_rcv_wnd(), RCV.UP is busy->rcv_up; the MSS that we
     * announce is in rcvwnd */
    struct {
        seq_t nxt; /* RCV.NXT */
        seq_t irs;
        seq_t fin; /* sequence number of the peer's FIN, once fin_seen */
    } rcv;

    /* Send sequence variables */
    struct {
        seq_t una, nxt;   /* SND.UNA, SND.NXT: nothing from nxt on has been sent */
        uint32_t wnd;     /* SND.WND, scaled to octets (REC-1) */
        uint32_t wnd_max; /* MAX.SND.WND (RFC 5961 5.2) */
        seq_t wl1, wl2;   /* SEG.SEQ and SEG.ACK of the last window update */
        seq_t up;         /* SND.UP; not urgent: SND.UNA */
        seq_t iss;
        seq_t fin;              /* sequence number of our FIN, once fin_sent */
        uint16_t mss;           /* effective send MSS (MUST-16) */
        uint8_t shift;          /* Snd.Wind.Shift */
        uint8_t ip_options_len; /* octets that go with every packet */
    } snd;

    struct rcvwnd rcvwnd;
    struct rcvq rcvq;
    struct ackdelay ackdelay;
    struct cc_rest cc_rest; /* busy->cc, while there is none */
    struct rto rto;
    struct keepalive keepalive;
    struct timestamps timestamps;

    union {
        uint64_t last_sent_ns;  /* of text, new or again, for RFC 5681 4.1; not by a window probe */
        uint64_t linger_due_ns; /* while tcb_lingers(), when no text is left: when that ends */
    };
    uint64_t octets_acked, octets_resent; /* of text, so far */
    uint32_t segs_in, segs_out;           /* packets so far, those of super-segments each */
    uint32_t resent;                      /* segments sent again so far */
    uint32_t id;                          /* of the socket, for the trace */
    struct {
        uint16_t first;    /* the MTU of the path's first link, IP header included */
        uint16_t mtu;      /* what is known of the whole path, less than that; 0: nothing */
        uint16_t before;   /* mtu, without what timeouts have made of it since R1 was reached */
        uint16_t mss_max;  /* what snd.mss would be if the whole path had the first link's */
        uint64_t until_ns; /* when mtu is forgotten */
    } pmtu;

    uint8_t events;    /* TCB_EV_*; the caller clears what it has taken */
    int8_t error;      /* enum err: why the connection ended */
    int8_t soft_error; /* enum err: what ICMP has said since the last progress */
    int8_t
        report; /* enum err: trouble (3.9.1.8) that the user is to be told of; the caller clears */
    uint32_t dsack_dups; /* see struct tcp_status */
};

/* A CLOSED connection that holds no other memory. flow stays where it is. first_mtu: of the
 * path's first link. busy: NULL, or memory of common->mem, which is the connection's from now on.
 */
void tcb_init(struct tcb *t, const struct flow *flow, uint16_t first_mtu, struct tcp_common *common,
              uint32_t id, struct busy *busy);

/* Returns all memory. */
void tcb_finish(struct tcb *t);

/* Sequence number of the first octet in the send queue, and of that behind the last: where the FIN
 * goes. */
seq_t tcb_text_start(const struct tcb *t);
seq_t tcb_text_end(const struct tcb *t);

/* Sequence number of the next octet of text that is to arrive: RCV.NXT, but for the FIN. */
seq_t tcb_text_head(const struct tcb *t);

/* Whether our FIN is acknowledged. */
bool tcb_fin_acked(const struct tcb *t);

/* Whether RCV.NXT has passed the peer's FIN: all that it has sent is here. */
bool tcb_fin_taken(const struct tcb *t);

/* Whether nothing is outstanding and nothing waits to be sent (3.8.4 "idle"). */
bool tcb_idle(const struct tcb *t);

/* Whether the send queue has room worth telling the user of: a third of the buffer, as with Linux.
 * A user woken for less would be woken for each ACK. */
bool tcb_has_room(const struct tcb *t);

/* TIME-WAIT, and FIN-WAIT-2 without a user: these do not last. */
bool tcb_lingers(const struct tcb *t);

/* From ESTABLISHED on: both have agreed on sequence numbers. */
bool tcb_synchronized(const struct tcb *t);

/* Whether the peer may still send text: its FIN has not been reached. */
bool tcb_receives(const struct tcb *t);

/* RCV.WND: what the peer was told, less what has arrived since. */
uint32_t tcb_rcv_wnd(const struct tcb *t);

/* The 64-bit stream offset of rcvq.h that a sequence number near RCV.NXT stands for. */
uint64_t tcb_stream_offset(const struct tcb *t, seq_t s);

/* Octets of TCP options that go with every segment. */
uint32_t tcb_options_len(const struct tcb *t);

/* The path's MTU less IP and TCP headers. */
uint32_t tcb_path_mss(const struct tcb *t);

/* The MSS to announce (MUST-67): that, or less if the user wants less. */
uint32_t tcb_mss_max(const struct tcb *t);

/* Most octets in the send queue. */
uint32_t tcb_sndbuf(const struct tcb *t);

/* The connection is in trouble, and goes on (3.9.1.8): the user is told, once, if it wants to be
 * (SHLD-20). */
void tcb_trouble(struct tcb *t, int err);

/* How long the retransmission timer runs now. */
uint64_t tcb_rto_ns(const struct tcb *t);

/* Every invariant that can be checked in O(1): NULL, or the text of one that does not hold. */
const char *tcb_check(const struct tcb *t);

/* The same and the queues', in O(n): for tests. */
const char *tcb_check_deep(const struct tcb *t);

/* TRACE() with what every point of a connection has in common. */
#define TCB_TRACE(t, kind, now, ...)                                                               \
    TRACE((t)->common->trace, kind, .now_ns = (now), .sock_id = (t)->id, .flow = (t)->flow,        \
          __VA_ARGS__)

/* STATUS (RFC 9293 3.10.6), in the manner of Linux's TCP_INFO, whose names are in brackets where
 * they differ. Times in ns, of the caller's clock where they are no durations. */
struct tcp_status {
    enum tcp_state state;
    struct flow flow;
    /* Octets */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t snd_mss;
    uint32_t rcv_mss;     /* what we announce, without what each segment's options take [advmss] */
    uint32_t rcv_largest; /* text of the largest packet so far [rcv_mss] */
    uint32_t path_mtu;    /* [pmtu] */
    uint32_t sndbuf;
    uint32_t rcvbuf; /* as it is now [rcv_space] */
    uint32_t cwnd, ssthresh;
    uint32_t flight;          /* sent and not acknowledged */
    size_t unsent_or_unacked; /* in the send queue */
    size_t unsent;            /* of these [notsent_bytes] */
    size_t unread;            /* can be read */
    /* Octets of text so far */
    uint64_t octets_acked, octets_received; /* [bytes_acked, bytes_received] */
    uint64_t octets_sent;                   /* those sent again as well [bytes_sent] */
    uint64_t octets_resent;                 /* [bytes_retrans] */
    uint64_t pacing_rate, max_pacing_rate;  /* in a second; PACING_UNLIMITED: no rate */
    /* ns */
    uint64_t srtt_ns, rttvar_ns; /* 0: no sample yet [rtt] */
    uint64_t rto_ns;
    uint64_t ack_delay_ns; /* [ato] */
    uint64_t text_sent_ns; /* when text or a FIN last went; 0: never [last_data_sent] */
    uint64_t heard_ns;     /* when an ACK last arrived; 0: never [last_ack_recv] */
    /* Counts */
    uint32_t retries;             /* timeouts in a row [retransmits] */
    uint32_t backoff;             /* doublings in rto_ns */
    uint32_t probes;              /* keep-alives in a row without answer */
    uint32_t resent;              /* segments sent again so far [total_retrans] */
    uint32_t dsack_dups;          /* segments the peer has got twice, by its D-SACKs [dsack_dups] */
    uint32_t segs_in, segs_out;   /* packets so far */
    uint32_t sacked, lost;        /* octets: SACKed; taken to be lost [sacked, lost] */
    bool scaled;                  /* windows are [TCPI_OPT_WSCALE] */
    bool sack;                    /* both permit it [TCPI_OPT_SACK] */
    bool timestamps;              /* both have agreed on them [TCPI_OPT_TIMESTAMPS] */
    bool ecn;                     /* the same [TCPI_OPT_ECN] */
    bool ecn_seen;                /* text with ECT or CE has come [TCPI_OPT_ECN_SEEN] */
    uint8_t snd_shift, rcv_shift; /* [snd_wscale, rcv_wscale] */
    int soft_error; /* enum err: what ICMP has said since the last progress (SHLD-25) */
};

void tcb_status(const struct tcb *t, struct tcp_status *status);

#endif

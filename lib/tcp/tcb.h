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
#include "cc.h"
#include "err.h"
#include "keepalive.h"
#include "persist.h"
#include "rcvq.h"
#include "rcvwnd.h"
#include "recovery.h"
#include "rto.h"
#include "seg.h"
#include "sndq.h"
#include "state.h"
#include "trace.h"

/* What may be set per stack. Times in ns, sizes in octets. */
struct tcp_config {
    uint64_t rto_initial_ns; /* RFC 6298 2.1 */
    uint64_t rto_min_ns;     /* above SRTT, see rto.h */
    uint64_t rto_max_ns;
    uint64_t ack_delay_ns;    /* MUST-40: below 0.5 s */
    uint64_t msl_ns;          /* TIME-WAIT lasts two of them */
    uint64_t user_timeout_ns; /* R2 (MUST-20, SHLD-11): without any progress for so long, give up */
    uint64_t syn_timeout_ns;  /* R2 for SYN (MUST-23) */
    uint64_t synack_timeout_ns; /* the same for the SYN-ACK of a passive OPEN */
    uint64_t orphan_ns;         /* how long FIN-WAIT-2 lasts when no user is left to receive */
    uint32_t quickacks;         /* so many first texts of a connection are acknowledged at once */
    uint32_t r1;                /* retransmissions after which trouble is reported (SHLD-10) */
    uint32_t sndbuf;            /* most octets in the send queue */
    uint32_t rcvbuf;            /* receive window to begin with */
    uint32_t rcvbuf_max;        /* and to grow to */
    const struct cc_ops *cc;    /* congestion control */
    struct keepalive_settings keepalive;
    bool nodelay;        /* Nagle off (MUST-17) */
    bool window_scaling; /* RFC 7323 2: our SYN offers it, and we answer it */
    bool idle_restart;   /* after an RTO of silence cwnd is the initial window (RFC 5681 4.1) */
};

/* What the user wants of IP: RFC 9293 3.9.1.8, 3.9.1.9, 3.9.2. */
struct tcp_ip {
    uint8_t tos; /* Diffserv field: DSCP in the upper 6 bits (RFC 2474 3), 0 below; traffic class */
    uint8_t ttl; /* or hop limit */
    bool report; /* trouble is told at once, see tcb.report */
};

#define ORPHAN_NONE UINT32_MAX

/* What a user may set for one connection, see tcp_set(). */
struct tcp_settings {
    struct keepalive_settings keepalive;
    const struct cc_ops *cc;  /* congestion control */
    uint32_t sndbuf;          /* most octets in the send queue */
    uint32_t rcvbuf;          /* octets of the receive buffer; 0: the config's, which grows */
    uint32_t user_timeout_ms; /* R2 (MUST-21), for SYN as well; 0: the config's */
    uint32_t mss_max;         /* octets of text in a segment, in both directions; 0: the path's */
    uint32_t orphan_ms;       /* of FIN-WAIT-2 without a user; 0: the config's; ORPHAN_NONE: RST */
    uint8_t syn_retries;      /* R2 of SYN and SYN-ACK as a number of retransmissions; 0: by time */
    bool nodelay;             /* Nagle off (MUST-17) */
    bool oobinline;           /* RECEIVE gives all urgent octets, the last as well (RFC 6093 6) */
    bool cork;                /* only full segments go, see tcp_output() */
    struct tcp_ip ip4, ip6;   /* MUST-47 to MUST-49 */
};

/* RTO 1 s at first, SRTT and 200 ms to 120 s; ACK delay 40 ms; MSL 30 s; user timeout 5 min (RFC
 * 9293 3.10.1), SYN and SYN-ACK 3 min; orphans 60 s; R1 3; send buffer 256 KiB; receive window 64
 * KiB growing to 4 MiB; CUBIC, with a restart after silence; no keep-alive. RFC 6298 2.4 says
 * that RTO should be at least 1 s; Linux has 200 ms; we have 200 ms because on today's paths a
 * second of silence per tail loss is what users notice. */
struct tcp_config tcp_config_default(void);

struct tcp_settings tcp_settings_default(const struct tcp_config *config);

/* The ones for this address's family. */
static inline const struct tcp_ip *tcp_settings_ip(const struct tcp_settings *s,
                                                   const struct ip_addr *remote)
{
    return ip_addr_is_v4(remote) ? &s->ip4 : &s->ip6;
}

/* What the path allows. */
struct tcp_path {
    uint32_t mtu;       /* of its first link: largest packet, IP header included */
    uint32_t super_max; /* most text in one super-segment; 0: one packet's worth */
};

/* So many in so long, and no more: see reset.c. */
struct budget {
    uint64_t from_ns;
    uint8_t spent;
};

/* What happened, for the user to learn: bits of tcb.events. */
#define TCB_EV_ESTABLISHED 0x01u
#define TCB_EV_ACKED       0x02u
#define TCB_EV_ARRIVED     0x04u
#define TCB_EV_CLOSED      0x08u
#define TCB_EV_TROUBLE     0x10u
#define TCB_EV_URGENT      0x20u

struct tcb {
    enum tcp_state state;
    bool passive; /* SYN-RECEIVED was reached from LISTEN (MUST-11) */
    struct flow flow;

    /* Send sequence variables */
    struct {
        seq_t una, nxt; /* SND.UNA, SND.NXT: nothing from nxt on has been sent */
        seq_t up;       /* SND.UP; not urgent: SND.UNA */
        seq_t up_from;  /* what was sent before this had no pointer to SND.UP */
        seq_t wl1, wl2; /* SEG.SEQ and SEG.ACK of the last window update */
        seq_t iss;
        seq_t fin;        /* sequence number of our FIN, once fin_sent */
        seq_t small;      /* end of the last segment below one MSS (RFC 9293 A.3, Minshall) */
        seq_t full;       /* SND.NXT when cwnd last had no room for a segment more */
        uint32_t wnd;     /* SND.WND, scaled to octets (REC-1) */
        uint32_t wnd_max; /* MAX.SND.WND (RFC 5961 5.2) */
        uint8_t shift;    /* Snd.Wind.Shift */
        uint32_t mss;     /* effective send MSS (MUST-16) */
        uint32_t mss_max; /* what it would be if the path had the first link's MTU */
        bool up_news;     /* there is urgent data, and the peer does not know it yet */
    } snd;

    /* Receive sequence variables */
    struct {
        seq_t nxt; /* RCV.NXT */
        seq_t irs;
        seq_t fin;     /* sequence number of the peer's FIN, once fin_seen */
        uint32_t mss;  /* the MSS we announce */
        bool up_taken; /* the octet before RCV.UP was RECEIVEd out of band */
        uint64_t up;   /* RCV.UP, as a stream offset (rcvq.h): it may lie far behind */
    } rcv;

    struct sndq sndq;
    struct rcvq rcvq;
    struct rcvwnd rcvwnd;
    struct rto rto;
    struct cc cc;
    struct recovery recovery;
    struct ackdelay ackdelay;
    struct persist persist;
    struct keepalive keepalive;
    struct tcp_settings settings;

    /* Timers; TIME_NEVER: off */
    uint64_t rtx_due_ns;     /* retransmission (RFC 6298 5) */
    uint64_t give_up_due_ns; /* user timeout (RFC 9293 3.10.8) */
    uint64_t linger_due_ns;  /* TIME-WAIT, or FIN-WAIT-2 without a user */
    uint64_t last_sent_ns;   /* of text, for RFC 5681 4.1 */
    uint64_t challenged_ns;  /* when a SYN was last challenged; 0: never */

    struct budget challenges;     /* ACKs that answer what an attacker may have sent (RFC 5961 7) */
    struct budget probe_answers;  /* and keep-alives and window probes */
    struct budget resent_for_mtu; /* text sent again at once for ICMP's "too big" */

    bool shift_offered; /* our SYN carries window scale: always when active, else if the peer's did
                         */
    bool more;          /* the last SEND was without PUSH (3.9.1.2): more is to follow */
    bool held;          /* and so its text, less than a segment, waits */
    bool flushed;       /* what is queued goes although the user has corked it */
    bool fin_queued;    /* the user has CLOSEd: a FIN follows the send queue */
    bool fin_sent;
    bool fin_seen;   /* the peer's FIN lies in the window, RCV.NXT may not have reached it yet */
    bool no_receive; /* shutdown: what arrives is acknowledged and thrown away */
    bool orphan;     /* the user has given the connection up: what arrives is answered with RST */
    bool probe;      /* the persist timer ran out: the next segment goes whatever the window says */
    bool reset_peer; /* a RST is to be sent: the last thing this connection does */
    bool in_trouble; /* R1 was reported */
    bool advise; /* and is reached by each timeout from then on; the caller tells IP and clears */
    bool syn_timed_out; /* our SYN was taken to be lost: RFC 5681 3.1, RFC 6298 5.7 */
    bool no_room;    /* text was refused, or thrown away, for want of memory; the caller counts and
                      * clears */
    uint8_t retries; /* timeouts in a row without progress */

    uint32_t resent;                      /* segments sent again so far */
    uint32_t segs_in, segs_out;           /* packets so far, those of super-segments each */
    uint64_t octets_acked, octets_resent; /* of text, so far */
    uint8_t events;                       /* TCB_EV_*; the caller clears what it has taken */
    int error;                            /* enum err: why the connection ended */
    int soft_error;                       /* enum err: what ICMP has said since the last progress */
    int report; /* enum err: trouble (3.9.1.8) that the user is to be told of; the caller clears */

    struct tcp_path path;
    uint8_t ip_options_len; /* octets that go with every packet */
    struct {
        uint32_t mtu; /* what ICMP has taught of the whole path, less than path.mtu; 0: nothing */
        uint64_t until_ns; /* and when that is forgotten */
    } pmtu;
    const struct tcp_config *config;
    struct mem *mem;
    const struct trace *trace;
    uint32_t id; /* of the socket, for the trace */
};

/* A CLOSED connection that has all it needs and holds no memory. */
void tcb_init(struct tcb *t, const struct flow *flow, const struct tcp_path *path,
              const struct tcp_config *config, struct mem *mem, const struct trace *trace,
              uint32_t id);

/* Returns the memory of the queues. */
void tcb_finish(struct tcb *t);

/* Sequence number of the first octet in the send queue, and of that behind the last: where the FIN
 * goes. */
seq_t tcb_text_start(const struct tcb *t);
seq_t tcb_text_end(const struct tcb *t);

/* Whether our FIN is acknowledged. */
bool tcb_fin_acked(const struct tcb *t);

/* Whether RCV.NXT has passed the peer's FIN: all that it has sent is here. */
bool tcb_fin_taken(const struct tcb *t);

/* Whether nothing is outstanding and nothing waits to be sent (3.8.4 "idle"). */
bool tcb_idle(const struct tcb *t);

/* From ESTABLISHED on: both have agreed on sequence numbers. */
bool tcb_synchronized(const struct tcb *t);

/* Whether the peer may still send text: its FIN has not been reached. */
bool tcb_receives(const struct tcb *t);

/* RCV.WND: what the peer was told, less what has arrived since. */
uint32_t tcb_rcv_wnd(const struct tcb *t);

/* The 64-bit stream offset of rcvq.h that a sequence number near RCV.NXT stands for. */
uint64_t tcb_stream_offset(const struct tcb *t, seq_t s);

/* The path's MTU less IP and TCP headers. */
uint32_t tcb_path_mss(const struct tcb *t);

/* The MSS to announce (MUST-67): that, or less if the user wants less. */
uint32_t tcb_mss_max(const struct tcb *t);

/* The connection is in trouble, and goes on (3.9.1.8): the user is told, once, if it wants to be
 * (SHLD-20). */
void tcb_trouble(struct tcb *t, int err);

/* Every invariant that can be checked in O(1): NULL, or the text of one that does not hold. */
const char *tcb_check(const struct tcb *t);

/* The same and the queues', in O(n): for tests. */
const char *tcb_check_deep(const struct tcb *t);

/* TRACE() with what every point of a connection has in common. */
#define TCB_TRACE(t, kind, now, ...)                                                               \
    TRACE((t)->trace, kind, .now_ns = (now), .sock_id = (t)->id, .flow = &(t)->flow, __VA_ARGS__)

/* STATUS (RFC 9293 3.10.6), in the manner of Linux's TCP_INFO, whose names are in brackets where
 * they differ. Times in ns, of the caller's clock where they are no durations. */
struct tcp_status {
    enum tcp_state state;
    struct flow flow;
    /* Octets */
    uint32_t snd_wnd, rcv_wnd;
    uint32_t snd_mss;
    uint32_t rcv_mss;     /* what we announce [advmss] */
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
    /* ns */
    uint64_t srtt_ns, rttvar_ns; /* 0: no sample yet [rtt] */
    uint64_t rto_ns;
    uint64_t ack_delay_ns; /* [ato] */
    uint64_t text_sent_ns; /* when text last went for the first time; 0: never [last_data_sent] */
    uint64_t heard_ns;     /* when an ACK last arrived; 0: never [last_ack_recv] */
    /* Counts */
    uint32_t retries;             /* timeouts in a row [retransmits] */
    uint32_t backoff;             /* doublings in rto_ns */
    uint32_t probes;              /* keep-alives in a row without answer */
    uint32_t resent;              /* segments sent again so far [total_retrans] */
    uint32_t segs_in, segs_out;   /* packets so far */
    bool scaled;                  /* windows are [TCPI_OPT_WSCALE] */
    uint8_t snd_shift, rcv_shift; /* [snd_wscale, rcv_wscale] */
    int soft_error; /* enum err: what ICMP has said since the last progress (SHLD-25) */
};

void tcb_status(const struct tcb *t, struct tcp_status *status);

#endif

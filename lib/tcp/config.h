/*
 * What can be chosen: for a whole stack (struct tcp_config), and for each connection by its user
 * (struct tcp_settings). And what the connections of a stack have in common.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "cc.h"
#include "keepalive.h"
#include "mem.h"
#include "shared.h"
#include "trace.h"

/* RFC 3168, by the numbers of Linux's net.ipv4.tcp_ecn. */
enum tcp_ecn {
    TCP_ECN_OFF,    /* neither */
    TCP_ECN_ASK,    /* our SYN asks for ECN, and we answer a SYN that does */
    TCP_ECN_ANSWER, /* we answer it */
};

/* When a listener answers a SYN without keeping anything of it (RFC 4987 3.6): Linux's
 * net.ipv4.tcp_syncookies, with its numbers. */
enum syncookies {
    SYNCOOKIES_NEVER,
    SYNCOOKIES_FULL, /* when there is no room for one more half-open connection */
    SYNCOOKIES_ALWAYS,
};

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
    uint32_t sndbuf;            /* most octets in the send queue to begin with: Linux's tcp_wmem */
    uint32_t sndbuf_max;        /* and to grow to */
    uint32_t rcvbuf;            /* receive window to begin with: Linux's tcp_rmem */
    uint32_t rcvbuf_max;        /* and to grow to */
    const struct cc_ops *cc;    /* congestion control */
    struct keepalive_settings keepalive;
    /* Pacing's rate (pacing.h) in percent of cwnd in SRTT, in slow start and after it, up to 1000;
     * 0: not paced then. Linux's tcp_pacing_ss_ratio, tcp_pacing_ca_ratio. */
    uint16_t pacing_ss_ratio, pacing_ca_ratio;
    uint8_t recovery; /* beside RACK's default: see rack.h; Linux's tcp_recovery */
    enum tcp_ecn ecn;
    enum syncookies syncookies;
    bool nodelay;         /* Nagle off (MUST-17) */
    bool window_scaling;  /* RFC 7323 2: our SYN offers it, and we answer it */
    bool sack;            /* RFC 2018: our SYN permits it, and we answer it */
    bool dsack;           /* RFC 2883: our ACKs tell what has come twice, where there is SACK */
    bool loss_probes;     /* RFC 8985 7: tail losses are probed for; Linux's tcp_early_retrans */
    bool timestamps;      /* RFC 7323 3: our SYN offers them, and we answer them */
    bool moderate_rcvbuf; /* the receive buffer grows with use, up to rcvbuf_max */
    bool mtu_probing;     /* RFC 4821 7.7: at R1 packets become smaller; Linux's tcp_mtu_probing */
    bool idle_restart;    /* after an RTO of silence cwnd is the initial window (RFC 5681 4.1) */
};

/* What makes packets smaller than the first link's MTU: IP_MTU_DISCOVER, with Linux's numbers. All
 * packets have IPv4's DF, so the first two are the same. */
enum pmtudisc {
    PMTUDISC_WANT = 1, /* ICMP does */
    PMTUDISC_DO,
    PMTUDISC_PROBE, /* ICMP does not; R1 may (RFC 4821 7.7) */
};

/* What the user wants of IP: RFC 9293 3.9.1.8, 3.9.1.9, 3.9.2. */
struct tcp_ip {
    uint8_t tos; /* Diffserv field: DSCP in the upper 6 bits (RFC 2474 3), 0 below; traffic class */
    uint8_t ttl; /* or hop limit */
    bool report; /* trouble is told at once, see tcb.report */
    uint8_t pmtudisc; /* enum pmtudisc */
};

#define ORPHAN_NONE      UINT32_MAX
#define PACING_NONE      0
#define PACING_UNLIMITED UINT64_MAX

/* What a user may set for one connection, see tcp_set(). Without padding: see shared.h. */
struct tcp_settings {
    const struct cc_ops *cc;  /* TCP_CONGESTION */
    uint64_t max_pacing_rate; /* SO_MAX_PACING_RATE, see pacing.h: octets in a second */
    struct keepalive_settings keepalive;
    uint32_t sndbuf;          /* most octets in the send queue; 0: the config's, which grows */
    uint32_t rcvbuf;          /* octets of the receive buffer; 0: the config's, which grows */
    uint32_t user_timeout_ms; /* R2 (MUST-21), for SYN as well; 0: the config's */
    uint32_t mss_max;         /* octets of text in a segment, in both directions; 0: the path's */
    uint32_t orphan_ms;       /* of FIN-WAIT-2 without a user; 0: the config's; ORPHAN_NONE: RST */
    struct tcp_ip ip4, ip6;   /* MUST-47 to MUST-49 */
    uint16_t syn_retries;     /* R2 of SYN and SYN-ACK as a number of retransmissions; 0: by time */
    bool nodelay;             /* Nagle off (MUST-17) */
    bool oobinline;           /* RECEIVE gives all urgent octets, the last as well (RFC 6093 6) */
    bool cork;                /* only full segments go, see tcp_output() */
    uint8_t none[3];          /* always 0 */
};

/* RTO 1 s at first, SRTT and 200 ms to 120 s; ACK delay 40 ms; MSL 30 s; user timeout 5 min (RFC
 * 9293 3.10.1), SYN and SYN-ACK 3 min; orphans 60 s; R1 3; send buffer 256 KiB, 1 MiB where round
 * trips take less than 1 ms, growing to 4 MiB; receive window 64 KiB growing to 4 MiB; CUBIC, with
 * a restart after silence; smaller packets at R1; pacing; no keep-alive; ECN as the peer asks for
 * it; SYN cookies when the listener is full. RFC 6298 2.4 says that RTO should be at least 1 s;
 * Linux has 200 ms; we have 200 ms because on today's paths a second of silence per tail loss is
 * what users notice. */
struct tcp_config tcp_config_default(void);

struct tcp_settings tcp_settings_default(const struct tcp_config *config);

/* The ones for this address's family. */
static inline const struct tcp_ip *tcp_settings_ip(const struct tcp_settings *s,
                                                   const struct ip_addr *remote)
{
    return ip_addr_is_v4(remote) ? &s->ip4 : &s->ip6;
}

/* What all connections of a stack have in common. */
struct tcp_common {
    const struct tcp_config *config;
    struct mem *mem;
    const struct trace *trace;
    uint32_t super_max;     /* most text in one super-segment; 0: one packet's worth */
    uint32_t n_busy;        /* connections that have a struct busy */
    struct shared settings; /* of all connections: most have the same */
    struct {
        struct shared_value head;
        struct tcp_settings value;
    } defaults; /* what connections begin with */
};

/* In place: *c must not be moved afterwards. */
void tcp_common_init(struct tcp_common *c, const struct tcp_config *config, struct mem *mem,
                     const struct trace *trace, uint32_t super_max);

#endif

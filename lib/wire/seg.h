/*
 * A TCP segment as the engine speaks of it: header fields in host order, decoded options, and the
 * text as references. RFC 9293 3.1; names as there (SEG.SEQ is seg.seq, and so on).
 */
#ifndef SEG_H
#define SEG_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"
#include "seq.h"

/* A connection's four-tuple, seen from this side. */
struct flow {
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
};

/* Control bits, in the order and with the values of RFC 9293 3.1. */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

/* The ECN field of the IP header: the lower two bits of its octet (RFC 3168 5). */
#define ECN_NOT_ECT 0
#define ECN_ECT1    1
#define ECN_ECT0    2
#define ECN_CE      3
#define ECN_MASK    3

/* What has arrived beyond a hole: [left, right) (RFC 2018 3). On the way in any two numbers. */
struct sack_block {
    seq_t left, right;
};

/* As many as 40 octets of options hold; three beside timestamps. */
#define SACK_BLOCKS_MAX 4

struct tcp_opts {
    bool has_mss, has_wscale, has_sack_permitted, has_ts;
    uint8_t wscale;          /* RFC 7323 2: shift count as sent, not clamped */
    uint8_t n_sack;          /* of sack; 0: no such option */
    uint16_t mss;            /* RFC 9293 3.7.1 */
    uint32_t ts_val, ts_ecr; /* TSval, TSecr (RFC 7323 3) */
    struct sack_block sack[SACK_BLOCKS_MAX];
};

/* A super-segment of 64 KiB never needs more; what does not fit is sent as the next segment. */
#define SEG_REFS_MAX 8

struct seg {
    seq_t seq, ack;
    uint32_t wnd; /* SEG.WND as on the wire: 16 bits, not scaled */
    uint16_t up;  /* urgent pointer */
    uint8_t flags;
    uint8_t ecn; /* of its packet, or of all packets of a super-segment: ECN_* */
    struct tcp_opts opts;

    uint32_t text_len; /* octets of text, without SYN and FIN */
    struct bytes text[SEG_REFS_MAX];
    uint8_t n_text;
    uint16_t gso_size; /* text octets per packet when text_len is more than one packet's; else 0 */
};

/* SEG.LEN: octets of sequence space, SYN and FIN included. */
static inline uint32_t seg_len(const struct seg *s)
{
    return s->text_len + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
}

/* Packets on the wire: of a super-segment more than one. */
static inline uint32_t seg_packets(const struct seg *s)
{
    return s->gso_size ? (s->text_len + s->gso_size - 1u) / s->gso_size : 1;
}

/* Sequence number of the first octet of text: a SYN comes before it. */
static inline seq_t seg_text_start(const struct seg *s)
{
    return seq_add(s->seq, (s->flags & TCP_SYN) != 0);
}

/* The first sequence number after the segment: SEG.SEQ + SEG.LEN. */
static inline seq_t seg_end(const struct seg *s)
{
    return seq_add(s->seq, seg_len(s));
}

#endif

/*
 * A packet on its way: what output() lent, copied at once, together with what the checkers want to
 * know of it. Does what a device does: finishes checksums, splits super-segments. Sums octets by
 * itself and not with wire/checksum, so that a mistake there can't agree with itself.
 */
#ifndef FRAME_H
#define FRAME_H

#include "packet.h"
#include "rng.h"

enum frame_icmp {
    ICMP_SAYS_NOTHING, /* it is a segment */
    ICMP_SAYS_TOO_BIG,
    ICMP_SAYS_UNREACHABLE, /* network or host: soft errors (RFC 9293 3.9.2.2) */
};

struct frame {
    unsigned refs;     /* times it is under way */
    void *conn;        /* struct conn it belongs to */
    uint8_t side;      /* which end of it has sent this */
    uint32_t from, to; /* hosts */
    uint32_t epoch;    /* of the sender's sequence space, see check_wire.h */
    bool corrupt;      /* bits were flipped, or its end is missing */
    bool forged;       /* an attacker's, who sees nothing */
    uint8_t icmp;      /* enum frame_icmp: what a router has to say of a segment */
    uint32_t mtu;      /* with ICMP_SAYS_TOO_BIG */
    uint8_t csum;      /* enum packet_csum */
    uint16_t gso_size; /* as in struct packet */
    struct seg seg;    /* decoded; text[0] lies in data */
    struct flow flow;  /* seen from the receiver */
    uint32_t len;      /* octets in data, without padding */
    uint32_t head_len; /* IP and TCP header */
    uint32_t padding;  /* octets behind the packet that don't count */
    uint8_t data[];
};

#define FRAME_PADDING_MAX 32

/* A copy of what output() gave. Fails (fail.h) when it is no TCP packet, when its lengths or its
 * checksum are wrong, or when it goes beyond what caps and MTU allow. refs is 1. */
struct frame *frame_copy(const struct packet *p, const struct link_caps *caps);

/* Octets [from, from + len) of f's text as a packet of its own, checksum final: what GSO makes. */
struct frame *frame_piece(const struct frame *f, uint32_t from, uint32_t len);

/* Turns CSUM_PARTIAL into CSUM_FULL. */
void frame_finish_csum(struct frame *f);

/* A single packet's copy as an attacker would send it who knows the four-tuple and not the sequence
 * numbers: text far outside of the window, an ACK of what was never sent, or a RST in the window
 * but not at its edge (RFC 5961). never: a sequence number that the sender never reaches. */
struct frame *frame_forge(const struct frame *f, seq_t never, struct rng *rng);

/* Octets of the largest IP packet in it. */
uint32_t frame_packet_max(const struct frame *f);

/* What a router answers to a packet that is larger than its next link's MTU (RFC 1191 4, RFC 4443
 * 3.2), or for which it has no way (RFC 792, RFC 4443 3.1): an ICMP message, with the segment's
 * connection and from its receiver's side. */
struct frame *frame_too_big(const struct frame *f, uint32_t mtu, struct rng *rng);
struct frame *frame_unreachable(const struct frame *f, struct rng *rng);

/* Flips one bit that some checksum covers. */
void frame_corrupt(struct frame *f, struct rng *rng);

/* Cuts its end off, within the headers or within the text, and may make the IP header's length
 * agree; then the checksum does not. */
void frame_shorten(struct frame *f, struct rng *rng);

/* What a router does that would else drop it: CE, where the packet is ECT (RFC 3168 5). Whether it
 * is. */
bool frame_mark(struct frame *f);

void frame_pad(struct frame *f, struct rng *rng);

/* The descriptor for input(): in up to SEG_REFS_MAX pieces, cut anywhere behind the headers. */
void frame_to_packet(const struct frame *f, struct packet *p, struct rng *rng);

/* f, or when it is under way several times a copy instead of one of them: free to be changed. */
struct frame *frame_own(struct frame *f);

/* One way less; frees at 0, after overwriting the head of the text. NULL is allowed. */
void frame_unref(struct frame *f);

#endif

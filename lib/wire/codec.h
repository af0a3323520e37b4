/*
 * Whole packets: a segment and its four-tuple to a packet descriptor and back. The one place where
 * IP header, TCP header and checksum meet.
 */
#ifndef CODEC_H
#define CODEC_H

#include "ip.h"
#include "ip_options.h"
#include "packet.h"
#include "tcp.h"

/* What became of an incoming packet. */
enum decode {
    DECODE_OK,
    DECODE_NOT_TCP,  /* well-formed, another protocol */
    DECODE_FRAGMENT, /* of an IP packet; nothing but *ip is known */
    DECODE_IP,       /* refused by ip_parse */
    DECODE_TCP,      /* refused by tcp_parse */
    DECODE_CHECKSUM, /* TCP checksum wrong (MUST-3) */
};

/* ip_parse() for an incoming packet, whose head r then reads: link-local addresses get its zone. */
enum ip_error packet_parse_ip(const struct packet *p, struct reader *r, struct ip_hdr *ip);

/* Decodes and verifies an incoming TCP packet. flow is seen from here: local is the destination.
 * seg's text refers to the packet's memory. *why names the reason when it is not DECODE_OK: a
 * string constant for the trace, else "". The head must hold the whole TCP header, and the text
 * must lie in no more than SEG_REFS_MAX pieces that are not empty: else DECODE_TCP. */
enum decode packet_decode(const struct packet *p, struct flow *flow, struct ip_hdr *ip,
                          struct seg *seg, const char **why);

/* Builds p from seg: head in p->store, body referring to seg's text. partial_csum: leave the
 * checksum to the device, which is cheap; otherwise the text is summed here. tos, ttl: for the IP
 * header; tos without ECN's bits, which are seg's. Always with DF and, RFC 6864, an IPv4
 * identification of 0. The whole packet must fit the 16-bit length of its IP header: at most 65535
 * octets (IPv4), or 40 more (IPv6). */
void packet_encode(struct packet *p, const struct flow *flow, const struct seg *seg, uint8_t tos,
                   uint8_t ttl, bool partial_csum);

/* Puts options into an IPv4 packet that packet_encode() has made; they leave now, at time_ms (see
 * ip_options_emit). It goes to the first hop of a source route then; its checksum, which has the
 * final destination, stays. */
void packet_put_options(struct packet *p, const struct ip_options *o, uint32_t time_ms);

/* For a packet that leaves its checksum to the device: where in the head it belongs, and its two
 * octets. False when it is not a TCP packet. Sums the text. */
bool packet_checksum(const struct packet *p, size_t *at, uint8_t checksum[2]);

#endif

/*
 * ICMP (RFC 792, RFC 1191, RFC 1812) and ICMPv6 (RFC 4443) messages, as one struct for both: echo,
 * and errors that quote the beginning of the packet they are about.
 */
#ifndef ICMP_H
#define ICMP_H

#include "ip.h"
#include "seg.h"

#define ICMP_HDR_LEN 8

/* Octets of TCP header that an error must quote: ports and sequence number (RFC 792). */
#define ICMP_QUOTE_MIN 8

/* What a message says, whichever the family. */
enum icmp_kind {
    ICMP_OTHER, /* nothing of what follows */
    ICMP_ECHO_REQUEST,
    ICMP_ECHO_REPLY,
    ICMP_TOO_BIG, /* fragmentation needed and DF set; packet too big */
    ICMP_NET_UNREACHABLE,
    ICMP_HOST_UNREACHABLE,
    ICMP_PROHIBITED, /* IPv6: administratively */
    ICMP_PROTOCOL_UNREACHABLE,
    ICMP_PORT_UNREACHABLE,
    ICMP_TIME_EXCEEDED,
    ICMP_PARAMETER_PROBLEM,
    ICMP_SOURCE_QUENCH, /* RFC 6633: never to be sent, to be ignored */
};

struct icmp {
    uint8_t type, code;
    uint32_t rest; /* the header's second word, which each type uses in its own way */
    struct bytes
        body; /* echo: the data; errors: the packet quoted, and what RFC 4884 puts behind */
};

enum icmp_error {
    ICMP_OK = 0,
    ICMP_SHORT = -1, /* cut before the end of its header or of its packet */
    ICMP_BAD_CHECKSUM = -2,
    ICMP_FAMILY = -3 /* ICMP in an IPv6 packet, or the reverse; or not ICMP at all */
};

/*
 * Reads a message and verifies its checksum. ip: what ip_parse() gave, r stands behind it and must
 * hold the whole message. body refers to r's memory.
 */
enum icmp_error icmp_parse(struct reader *r, const struct ip_hdr *ip, struct icmp *m);

/* Writes a message with its checksum, ICMP_HDR_LEN + body.len octets, to follow a header with ip's
 * addresses. */
void icmp_emit(struct writer *w, const struct ip_hdr *ip, const struct icmp *m);

/* v4: ICMP, not ICMPv6. */
enum icmp_kind icmp_kind(const struct icmp *m, bool v4);

/* Type and code of a kind that is not ICMP_OTHER and that the family has, rest 0 and no body. */
struct icmp icmp_of_kind(enum icmp_kind kind, bool v4);

/* ICMP_TOO_BIG: the next hop's MTU as the message has it. 0: an IPv4 router from before RFC 1191.
 */
uint32_t icmp_mtu(const struct icmp *m, bool v4);

/* ICMP_TOO_BIG: sets it. */
void icmp_set_mtu(struct icmp *m, uint32_t mtu, bool v4);

/* The TCP segment that an error is about. */
struct icmp_cause {
    struct flow flow; /* as its sender sees it: local is its source */
    seq_t seq;
    uint32_t packet_len; /* octets, IP header included, as its header had it */
};

/* Reads the packet that an error quotes, of v4's family. False when it was not TCP, is a fragment,
 * or is cut before ICMP_QUOTE_MIN octets of TCP. */
bool icmp_parse_cause(const struct icmp *m, bool v4, struct icmp_cause *cause);

#endif

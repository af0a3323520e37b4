/*
 * Headers field by field, as RFC 9293 3.1 and the RFCs of IP have them: written and read apart from
 * lib/wire, for tests of what is on the wire and of what nobody's TCP would send.
 */
#ifndef HEADERS_H
#define HEADERS_H

#include "ip_options.h"
#include "packet.h"
#include "support.h"

/* An option of a TCP header that arrives (3.2). */
struct option {
    uint8_t kind, len; /* as they are to be written */
    uint8_t size;      /* octets in all; 1: the kind alone; 0: behind the last option */
    uint32_t value;    /* of those behind the length, the last ones */
};
#define OPTIONS(...) ((const struct option[]){__VA_ARGS__, {.size = 0}})
#define END_OF_OPTION_LIST                                                                         \
    {                                                                                              \
        .kind = 0, .size = 1                                                                       \
    }
#define NO_OPERATION                                                                               \
    {                                                                                              \
        .kind = 1, .size = 1                                                                       \
    }
#define MAX_SEGMENT_SIZE(v)                                                                        \
    {                                                                                              \
        .kind = 2, .len = 4, .size = 4, .value = (v)                                               \
    }
#define WINDOW_SCALE(v)                                                                            \
    {                                                                                              \
        .kind = 3, .len = 3, .size = 3, .value = (v)                                               \
    }
#define UNKNOWN_OPTION(k, l)                                                                       \
    {                                                                                              \
        .kind = (k), .len = (l), .size = (l)                                                       \
    }

/* One that says another length than it has. */
#define FALSE_OPTION(k, l, s)                                                                      \
    {                                                                                              \
        .kind = (k), .len = (l), .size = (s)                                                       \
    }

/* What is in the headers of a packet. */
struct headers {
    uint8_t version; /* of IP */
    uint8_t tos, ttl;
    uint32_t total_len; /* octets, headers included */
    uint16_t id;        /* IPv4 */
    bool df;

    struct flow flow; /* seen by the sender */
    uint32_t seq, ack;
    uint8_t data_offset; /* 32-bit words */
    uint8_t reserved;
    uint8_t flags;
    uint16_t wnd, up;
    bool right_checksum;
    uint8_t options[40];
    unsigned n_options; /* octets */
    uint32_t text_len;
};

/* Reads a packet that is whole, and whose checksum field is final. */
struct headers headers_read(const struct packet *p);

/* An IPv4 option that lists addresses, of which the first n are passed (RFC 791 3.1). */
#define LOOSE_SOURCE_ROUTE  131
#define STRICT_SOURCE_ROUTE 137
#define RECORD_ROUTE        7
#define ROUTE(kind, n_passed, ...)                                                                 \
    headers_route((kind), (n_passed),                                                              \
                  sizeof((struct ip_addr[]){__VA_ARGS__}) / sizeof(struct ip_addr),                \
                  (const struct ip_addr[]){__VA_ARGS__})
struct ip_options headers_route(uint8_t kind, unsigned n_passed, unsigned n,
                                const struct ip_addr *addrs);

/* A Timestamp option of times only, with room for n; there is one already, or none. */
struct ip_options headers_timestamp(unsigned n, const uint32_t *already);

/* Gives the packet another destination and other options, without a look at its checksum; its head
 * lies in `head` then. */
void headers_readdress(struct packet *p, struct ip_addr dst, const struct ip_options *options,
                       uint8_t head[PACKET_HEAD_MAX]);

/* What a packet that arrives is to have that others have not. 0 is what they have. */
struct odd {
    const struct option *options;    /* instead of those of the segment */
    const struct option *ip_options; /* IPv4 */
    uint8_t data_offset;             /* false: in 32-bit words */
    uint8_t reserved;
    uint8_t tos, ttl;
    struct ip_addr misrouted_to; /* though the segment is for another */
};

/* Writes a packet from flow's local end, with right checksums; returns its length. */
#define HEADERS_MAX 120 /* octets of IP's and TCP's headers */
size_t headers_write(uint8_t *to, const struct flow *flow, const struct seg *seg,
                     const uint8_t *text, const struct odd *odd);

#endif

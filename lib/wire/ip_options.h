/*
 * IPv4's options (RFC 791 3.1, RFC 1122 3.2.1.8): those that a user gives for the packets of a
 * connection, and the source routes of packets that arrive. IPv6 has no source routes any more (RFC
 * 5095), and none of the others.
 */
#ifndef IP_OPTIONS_H
#define IP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "bytes.h"

#define IP_OPTIONS_MAX 40

/* As a user gives them (ip(7)): a source route names the routers on the way, the first hop first,
 * and not the destination; pointers stand where the sender finds them. */
struct ip_options {
    uint8_t len; /* octets, a multiple of 4; 0: none */
    uint8_t octets[IP_OPTIONS_MAX];
};

/* Takes a list over from a user, and fills it up to whole words. False when it is too long, or an
 * option in it is malformed; as Linux has it, a source route, a Record Route and a Timestamp option
 * may each be there once. Others are not looked into. */
bool ip_options_read(struct ip_options *o, const void *octets, size_t len);

/* Where a packet for dst with these options goes first. o may be NULL. */
struct ip_addr ip_options_first_hop(const struct ip_options *o, const struct ip_addr *dst);

/* The options as they stand in a packet that leaves src for dst: the first hop of a source route is
 * in the header, and dst is the last; Record Route and Timestamp hold what the sender is to record,
 * src and time_ms: of any clock, marked as no standard time (RFC 791 3.1). Writes o->len octets. */
void ip_options_emit(const struct ip_options *o, const struct ip_addr *src,
                     const struct ip_addr *dst, uint32_t time_ms, uint8_t out[IP_OPTIONS_MAX]);

/* The way back to src of a packet that has arrived with these options, its source route completed
 * (RFC 1122 3.2.1.8 (c)). False when there is none to be used: no source route, or more than one,
 * or a malformed one, one that is not completed, one by way of what is no router's address. */
bool ip_options_reverse(struct bytes arrived, const struct ip_addr *src, struct ip_options *back);

/* Where a packet to dst with these options goes in the end: the last of a source route that is not
 * completed. TCP's checksum has this address (RFC 9293 3.9.2.1). */
struct ip_addr ip_options_final(struct bytes options, const struct ip_addr *dst);

#endif

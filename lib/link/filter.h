/*
 * The socket filter: a classic BPF program that passes only what is ours, so that other traffic
 * does not wake us (Linux Documentation/networking/filter.rst, packet(7)). Called by link_packet.c
 * only.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "link_packet.h"

#define FILTER_MAX BPF_MAXINSNS

/*
 * Writes the program into prog, of FILTER_MAX instructions; returns how many there are, or
 * -ENOBUFS.
 *
 * It passes, from Ethernet devices and of no VLAN (a tag may say priority only, IEEE 802.1Q 6.9):
 *  - ARP that is not for another station; Neighbour Advertisements likewise;
 *  - ICMP and ICMPv6 errors addressed to this station;
 *  - TCP addressed to this station, to one of the n port ranges; fragments other than the first,
 *    which have no ports, to one of their addresses. Whether a wildcard's packet has a local
 *    address is left to the caller, and everything about IPv6 packets with extension headers,
 *    which BPF cannot walk;
 *  - everything addressed to this station that is for one of the n_owned addresses, and Neighbour
 *    Solicitations for them.
 */
int filter_build(struct sock_filter *prog, const struct port_range *v, size_t n,
                 const struct ip_addr *owned, size_t n_owned);

#endif

/* "fe80::1%eth0": a link-local address and its link, as RFC 4007 11 writes them. */
#ifndef ADDR6_H
#define ADDR6_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes an IPv6 address in text apart: *addr is what stands before the "%", *zone the index of the
 * device that stands behind it by name or number; 0: there is none. False: neither an address nor a
 * device. */
bool addr6_read(const char *text, struct in6_addr *addr, uint32_t *zone);

#endif

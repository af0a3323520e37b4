/*
 * guard keeps TCP ports from the kernel: whoever holds a port here alone answers what arrives for
 * it. Two things make that so, and both vanish with the process, even by kill -9:
 *
 *  - an ordinary kernel socket, bound and never listening, so that nobody else can bind the port
 *    (hold.c);
 *  - an nftables table of our own whose rules drop what arrives for the port before the kernel's
 *    TCP sees it, while a packet tap still does (nft.c).
 *
 * It knows addresses and port numbers, no connections. Called by runtime/ and by the example
 * `handshake`. Not thread-safe: one caller at a time.
 *
 * A guard has a thread of its own that sleeps between the calls and to which all descriptors belong
 * (keeper.h). So a child made by fork() has none of them, and does not keep a port or the table
 * when its parent ends; nor do they count among the program's. What that thread may do is settled
 * at guard_create.
 *
 * An address is a struct in6_addr; IPv4 as ::ffff:a.b.c.d. A link-local one has the index of its
 * link's device in octets 4 to 7, big-endian, where there is 0 on the wire. A wildcard is
 * ::ffff:0.0.0.0 or ::, each for its own family only, and stands for the addresses that are local
 * at the moment a packet arrives, without any help of ours.
 *
 * Errors are negative errno values; guard_error() has the sentence.
 */
#ifndef GUARD_H
#define GUARD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard;

#define GUARD_BLOCK 64

/* Makes the table for the calling thread's network namespace; needs CAP_NET_ADMIN there. On failure
 * err, of errlen octets, says what failed and why. */
int guard_create(struct guard **out, char *err, size_t errlen);

/* Gives every port back. g may be NULL. */
void guard_destroy(struct guard *g);

/*
 * Takes one port of one address, or of a wildcard. freebind: the address need not be this host's.
 * -EADDRINUSE: somebody has it, a kernel socket, another program of ours or we ourselves.
 * -EADDRNOTAVAIL: not an address of this host, or none that a connection can have (multicast,
 * loopback). -EACCES: a port below 1024 without the right. One file descriptor each.
 *
 * Port 0: the whole address, of which the kernel then sees nothing that arrives, be it TCP or not;
 * for an address that is not the kernel's, which this does not check. -EADDRINUSE: another program
 * of ours has it.
 */
int guard_hold(struct guard *g, const struct in6_addr *addr, uint16_t port, bool freebind);

/* Gives back what guard_hold took with the same address and port. -ENOENT: it is not held. */
int guard_release(struct guard *g, const struct in6_addr *addr, uint16_t port);

/*
 * Takes GUARD_BLOCK consecutive ports, of both wildcards, for connections that we open. Ports that
 * anybody may expect elsewhere are left out: the kernel's own range, /etc/services and reserved
 * ones. Which block is left to chance (RFC 6056). 64 file descriptors and one netlink transaction.
 * -EADDRINUSE: none is left; -EMFILE: too many files.
 */
int guard_claim_block(struct guard *g, uint16_t *first);

/* Gives back the block that begins at first. -ENOENT: there is none. */
int guard_release_block(struct guard *g, uint16_t first);

/* What the last call that failed could not do, and why: "bind 10.0.0.1:80: Address already in
 * use". Valid until the next call. */
const char *guard_error(const struct guard *g);

#endif

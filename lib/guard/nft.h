/* The nftables table of one guard. Called by guard.c only. */
#ifndef NFT_H
#define NFT_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_NAME_MAX 32

struct mnl_socket;

struct nft {
    struct mnl_socket *nl; /* owns the table: it goes when this is closed */
    char table[NFT_NAME_MAX];
    uint32_t seq;
    unsigned made; /* the sets that are there, a bit each */
};

/* Consecutive ports of one address or wildcard. Port 0, and a count of 1: the whole address, with
 * all its ports and whatever else there is. */
struct nft_ports {
    struct in6_addr addr;
    uint16_t first, count;
};

/* Makes the table. Negative errno; *what names the step that failed. */
int nft_open(struct nft *n, const char **what);
void nft_close(struct nft *n);

/* Adds or removes the ports of all v[0..n_ports) in one transaction: all or nothing; sets and rules
 * are made as they are needed. At most NFT_CHANGE_MAX ports in all. Linear in the number of ports.
 */
#define NFT_CHANGE_MAX 256
int nft_add(struct nft *n, const struct nft_ports *v, size_t n_ports);
int nft_remove(struct nft *n, const struct nft_ports *v, size_t n_ports);

#endif

/*
 * The nftables table that hides our ports from the kernel's TCP: libnftnl builds the messages,
 * libmnl carries them (nfnetlink; nft(8) shows the result by `nft list ruleset`).
 *
 *     table inet nstcp-PID-N {
 *         flags owner
 *         set wild4, wild6 { type inet_service }
 *         set held4        { type ipv4_addr . inet_service }
 *         set held6        { type ipv6_addr . inet_service }
 *         set link6        { type iface_index . ipv6_addr . inet_service }
 *         set owned4       { type ipv4_addr }
 *         set owned6       { type ipv6_addr }
 *         chain in {
 *             type filter hook prerouting priority -450
 *             not from lo, ip  daddr . tcp dport @held4: drop
 *             not from lo, ip,  tcp dport @wild4, fib daddr type local: drop
 *             not from lo, ip6 daddr . tcp dport @held6: drop
 *             not from lo, iif . ip6 daddr . tcp dport @link6: drop
 *             not from lo, ip6, tcp dport @wild6, fib daddr type local: drop
 *             not from lo, ip  daddr @owned4: drop
 *             not from lo, ip6 daddr @owned6: drop
 *         }
 *     }
 *
 * Why prerouting and not netdev ingress: an ingress hook names its devices, so a device that
 * appears would be unguarded until we had heard of it. Prerouting has every device, present and
 * future, and like ingress lies behind the ETH_P_ALL taps and before routing, connection tracking
 * (-200), defragmentation (-400) and every socket. Packets on lo never reach our link, so the
 * kernel shall go on answering them.
 *
 * Why `fib daddr type local` for wildcards: the kernel itself says which addresses are local at the
 * moment the packet arrives, so there is no list of ours to lag behind.
 *
 * Fragments other than the first have no ports, so only the rules of owned4 and owned6 drop them.
 * The kernel keeps the others until its own time for them is up, and says nothing: it never saw the
 * first.
 *
 * A set and its rule are made with the first element: each packet of ours passes the rules that
 * stand before its own, on the processor that sends it where it comes from this machine, and most
 * programs need one or two.
 *
 * A port is a set element, never a rule: holding one more costs one element. The sets are not
 * interval sets: single ports land in the kernel's bitmap and hash sets, looked up in O(1).
 */
#include "nft.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "zone.h"

#define CHAIN      "in"
#define PRIORITY   (-450) /* NF_IP_PRI_RAW_BEFORE_DEFRAG */
#define NAME_TRIES 64

/* Up to NFT_CHANGE_MAX elements, of 24 + 12 octets with attribute headers, and every set and rule.
 */
#define BATCH_MAX (NFT_CHANGE_MAX * 48 + 8192)

/* What nft(8) needs to print a key; the kernel only stores it. */
#define TYPE_IPV4  7
#define TYPE_IPV6  8
#define TYPE_PORT  13
#define TYPE_IF    20
#define CONCAT(hi) ((hi) << 6 | TYPE_PORT)
#define KEY_MAX    24

enum set_id { HELD4, WILD4, HELD6, LINK6, WILD6, OWNED4, OWNED6, N_SETS };

static const struct {
    const char *name;
    uint32_t key_type, key_len;
    uint8_t nfproto;
    uint32_t addr_offset, addr_len; /* in the IP header; 0 for a wildcard's set */
    bool port;                      /* behind the address */
    bool link;                      /* before it: the device's index */
} sets[N_SETS] = {
    [WILD4] = {"wild4", TYPE_PORT, 2, NFPROTO_IPV4, 0, 0, true, false},
    [WILD6] = {"wild6", TYPE_PORT, 2, NFPROTO_IPV6, 0, 0, true, false},
    [HELD4] = {"held4", CONCAT(TYPE_IPV4), 8, NFPROTO_IPV4, 16, 4, true, false},
    [HELD6] = {"held6", CONCAT(TYPE_IPV6), 20, NFPROTO_IPV6, 24, 16, true, false},
    [LINK6] = {"link6", CONCAT(TYPE_IF << 6 | TYPE_IPV6), KEY_MAX, NFPROTO_IPV6, 24, 16, true,
               true},
    [OWNED4] = {"owned4", TYPE_IPV4, 4, NFPROTO_IPV4, 16, 4, false, false},
    [OWNED6] = {"owned6", TYPE_IPV6, 16, NFPROTO_IPV6, 24, 16, false, false},
};

/* One transaction under construction. */
struct batch {
    struct nft *nft;
    char buf[BATCH_MAX];
    size_t len;
    uint32_t last_seq;
    bool failed; /* out of memory on the way */
};

static void batch_begin(struct batch *b, struct nft *n)
{
    b->nft = n;
    b->failed = false;
    b->len = nftnl_batch_begin(b->buf, n->seq++)->nlmsg_len;
}

/* The header of the next message; its payload is to be added, then batch_close. */
static struct nlmsghdr *batch_open(struct batch *b, uint16_t type, uint16_t flags)
{
    b->last_seq = b->nft->seq++;
    return nftnl_nlmsg_build_hdr(b->buf + b->len, type, NFPROTO_INET, flags, b->last_seq);
}

static void batch_close(struct batch *b, const struct nlmsghdr *h)
{
    b->len += mnl_nlmsg_size(mnl_nlmsg_get_payload_len(h));
}

/* Reads the answers, all of which are queued before sendto() returns: the first error, or 0. */
static int read_answers(struct mnl_socket *nl, uint32_t last_seq)
{
    char buf[8192];
    int err = 0;
    bool acked = false;
    for (;;) {
        ssize_t got = recv(mnl_socket_get_fd(nl), buf, sizeof buf, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        int left = (int)got;
        for (const struct nlmsghdr *h = (const void *)buf; mnl_nlmsg_ok(h, left);
             h = mnl_nlmsg_next(h, &left)) {
            if (h->nlmsg_type != NLMSG_ERROR)
                continue;
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
            if (e->error != 0 && err == 0)
                err = e->error;
            acked = acked || h->nlmsg_seq == last_seq;
        }
    }
    return err != 0 ? err : acked ? 0 : -EIO;
}

/* Sends the transaction. The last message must have been built with NLM_F_ACK. */
static int batch_commit(struct batch *b)
{
    if (b->failed)
        return -ENOMEM;
    b->len += nftnl_batch_end(b->buf + b->len, b->nft->seq++)->nlmsg_len;
    while (mnl_socket_sendto(b->nft->nl, b->buf, b->len) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return read_answers(b->nft->nl, b->last_seq);
}

static void put_table(struct batch *b)
{
    struct nftnl_table *t = nftnl_table_alloc();
    if (t == NULL) {
        b->failed = true;
        return;
    }
    b->failed |= nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->nft->table) < 0;
    nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    struct nlmsghdr *h = batch_open(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_table_nlmsg_build_payload(h, t);
    batch_close(b, h);
    nftnl_table_free(t);
}

static void put_set(struct batch *b, enum set_id id)
{
    struct nftnl_set *s = nftnl_set_alloc();
    if (s == NULL) {
        b->failed = true;
        return;
    }
    b->failed |= nftnl_set_set_str(s, NFTNL_SET_TABLE, b->nft->table) < 0;
    b->failed |= nftnl_set_set_str(s, NFTNL_SET_NAME, sets[id].name) < 0;
    nftnl_set_set_u32(s, NFTNL_SET_ID, id + 1);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, sets[id].key_type);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, sets[id].key_len);
    struct nlmsghdr *h = batch_open(b, NFT_MSG_NEWSET, NLM_F_CREATE);
    nftnl_set_nlmsg_build_payload(h, s);
    batch_close(b, h);
    nftnl_set_free(s);
}

static void put_chain(struct batch *b)
{
    struct nftnl_chain *c = nftnl_chain_alloc();
    if (c == NULL) {
        b->failed = true;
        return;
    }
    b->failed |= nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->nft->table) < 0;
    b->failed |= nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, CHAIN) < 0;
    b->failed |= nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter") < 0;
    nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_PRE_ROUTING);
    nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY);
    nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    struct nlmsghdr *h = batch_open(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
    nftnl_chain_nlmsg_build_payload(h, c);
    batch_close(b, h);
    nftnl_chain_free(c);
}

/* A new expression at the end of r; NULL, and b failed, without memory. */
static struct nftnl_expr *expr(struct batch *b, struct nftnl_rule *r, const char *name)
{
    struct nftnl_expr *e = nftnl_expr_alloc(name);
    if (e == NULL)
        b->failed = true;
    else
        nftnl_rule_add_expr(r, e);
    return e;
}

static void expr_cmp(struct batch *b, struct nftnl_rule *r, uint32_t op, const void *data,
                     uint32_t len)
{
    struct nftnl_expr *e = expr(b, r, "cmp");
    if (e == NULL)
        return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
    nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void expr_meta(struct batch *b, struct nftnl_rule *r, uint32_t key)
{
    struct nftnl_expr *e = expr(b, r, "meta");
    if (e == NULL)
        return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void expr_meta_cmp(struct batch *b, struct nftnl_rule *r, uint32_t key, uint32_t op,
                          const void *data, uint32_t len)
{
    expr_meta(b, r, key);
    expr_cmp(b, r, op, data, len);
}

static void expr_payload(struct batch *b, struct nftnl_rule *r, uint32_t base, uint32_t offset,
                         uint32_t len, uint32_t reg)
{
    struct nftnl_expr *e = expr(b, r, "payload");
    if (e == NULL)
        return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void expr_lookup(struct batch *b, struct nftnl_rule *r, enum set_id id)
{
    struct nftnl_expr *e = expr(b, r, "lookup");
    if (e == NULL)
        return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    b->failed |= nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, sets[id].name) < 0;
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, id + 1);
}

static void expr_daddr_is_local(struct batch *b, struct nftnl_rule *r)
{
    struct nftnl_expr *e = expr(b, r, "fib");
    if (e == NULL)
        return;
    uint32_t local = RTN_LOCAL;
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
    expr_cmp(b, r, NFT_CMP_EQ, &local, sizeof local);
}

static void expr_drop(struct batch *b, struct nftnl_rule *r)
{
    struct nftnl_expr *e = expr(b, r, "immediate");
    if (e == NULL)
        return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_DROP);
}

static void put_rule(struct batch *b, enum set_id id)
{
    struct nftnl_rule *r = nftnl_rule_alloc();
    if (r == NULL) {
        b->failed = true;
        return;
    }
    const uint16_t loopback = ARPHRD_LOOPBACK;
    const uint8_t tcp = IPPROTO_TCP;
    b->failed |= nftnl_rule_set_str(r, NFTNL_RULE_TABLE, b->nft->table) < 0;
    b->failed |= nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, CHAIN) < 0;
    expr_meta_cmp(b, r, NFT_META_NFPROTO, NFT_CMP_EQ, &sets[id].nfproto, 1);
    if (sets[id].port)
        expr_meta_cmp(b, r, NFT_META_L4PROTO, NFT_CMP_EQ, &tcp, 1);
    expr_meta_cmp(b, r, NFT_META_IIFTYPE, NFT_CMP_NEQ, &loopback, sizeof loopback);
    /* The key: device, address, port, side by side in 32-bit registers. */
    uint32_t reg = NFT_REG32_00;
    if (sets[id].link) {
        expr_meta(b, r, NFT_META_IIF);
        reg++;
    }
    if (sets[id].addr_len != 0) {
        expr_payload(b, r, NFT_PAYLOAD_NETWORK_HEADER, sets[id].addr_offset, sets[id].addr_len,
                     reg);
        reg += sets[id].addr_len / 4;
    }
    if (sets[id].port)
        expr_payload(b, r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg);
    expr_lookup(b, r, id);
    if (sets[id].addr_len == 0)
        expr_daddr_is_local(b, r);
    expr_drop(b, r);

    struct nlmsghdr *h = batch_open(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    nftnl_rule_nlmsg_build_payload(h, r);
    batch_close(b, h);
    nftnl_rule_free(r);
}

/* One attempt to make the table, under the name in n->table. */
static int make_table(struct nft *n)
{
    struct batch b;
    batch_begin(&b, n);
    put_table(&b);
    put_chain(&b);
    return batch_commit(&b);
}

int nft_open(struct nft *n, const char **what)
{
    *what = "open a netfilter socket";
    n->seq = 1;
    n->made = 0;
    n->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (n->nl == NULL)
        return -errno;
    int err = 0;
    if (mnl_socket_bind(n->nl, 0, MNL_SOCKET_AUTOPID) < 0)
        err = -errno;

    /* One process may have several guards, and a process of another PID namespace our PID. A name
     * that is taken gives EEXIST when its owner is this socket, EPERM when it is another. */
    *what = "make an nftables table";
    for (unsigned i = 0; i < NAME_TRIES && err == 0; i++) {
        snprintf(n->table, sizeof n->table, "nstcp-%ld-%u", (long)getpid(), i);
        err = make_table(n);
        if (err == 0)
            return 0;
        bool taken = err == -EEXIST || err == -EPERM;
        if (taken && i + 1 < NAME_TRIES)
            err = 0;
    }
    nft_close(n);
    return err;
}

void nft_close(struct nft *n)
{
    if (n->nl != NULL)
        mnl_socket_close(n->nl);
    n->nl = NULL;
}

static enum set_id set_of(const struct nft_ports *v)
{
    const struct in6_addr *a = &v->addr;
    if (v->first == 0)
        return IN6_IS_ADDR_V4MAPPED(a) ? OWNED4 : OWNED6;
    if (IN6_IS_ADDR_V4MAPPED(a))
        return a->s6_addr32[3] == 0 ? WILD4 : HELD4;
    if (IN6_IS_ADDR_LINKLOCAL(a))
        return LINK6;
    return IN6_IS_ADDR_UNSPECIFIED(a) ? WILD6 : HELD6;
}

/* The set's elements for the ports of v, as one message. */
static void put_elems(struct batch *b, uint16_t type, uint16_t flags, const struct nft_ports *v)
{
    enum set_id id = set_of(v);
    struct nftnl_set *s = nftnl_set_alloc();
    if (s == NULL) {
        b->failed = true;
        return;
    }
    b->failed |= nftnl_set_set_str(s, NFTNL_SET_TABLE, b->nft->table) < 0;
    b->failed |= nftnl_set_set_str(s, NFTNL_SET_NAME, sets[id].name) < 0;
    for (unsigned i = 0; i < v->count; i++) {
        uint8_t key[KEY_MAX] = {0};
        uint16_t port = htons((uint16_t)(v->first + i));
        const uint32_t zone = zone_of(&v->addr), addr_len = sets[id].addr_len;
        const struct in6_addr addr = zone_cut(&v->addr);
        size_t at = sets[id].link ? sizeof zone : 0;
        memcpy(key, &zone, at);
        memcpy(key + at, addr.s6_addr + 16 - addr_len, addr_len);
        if (sets[id].port)
            memcpy(key + at + addr_len, &port, sizeof port);
        struct nftnl_set_elem *e = nftnl_set_elem_alloc();
        if (e == NULL || nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, sets[id].key_len) < 0)
            b->failed = true;
        if (e != NULL)
            nftnl_set_elem_add(s, e);
    }
    struct nlmsghdr *h = batch_open(b, type, flags);
    nftnl_set_elems_nlmsg_build_payload(h, s);
    batch_close(b, h);
    nftnl_set_free(s);
}

static int change(struct nft *n, uint16_t type, uint16_t flags, const struct nft_ports *v,
                  size_t n_ports)
{
    size_t total = 0;
    for (size_t i = 0; i < n_ports; i++)
        total += v[i].count;
    if (n_ports == 0 || total > NFT_CHANGE_MAX)
        return -EINVAL;
    struct batch b;
    unsigned made = n->made;
    batch_begin(&b, n);
    for (size_t i = 0; i < n_ports; i++) {
        enum set_id id = set_of(&v[i]);
        if (!(made & 1U << id)) {
            put_set(&b, id);
            put_rule(&b, id);
            made |= 1U << id;
        }
        put_elems(&b, type, (uint16_t)(flags | (i + 1 == n_ports ? NLM_F_ACK : 0)), &v[i]);
    }
    int err = batch_commit(&b);
    if (err == 0)
        n->made = made;
    return err;
}

int nft_add(struct nft *n, const struct nft_ports *v, size_t n_ports)
{
    return change(n, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, v, n_ports);
}

int nft_remove(struct nft *n, const struct nft_ports *v, size_t n_ports)
{
    return change(n, NFT_MSG_DELSETELEM, 0, v, n_ports);
}

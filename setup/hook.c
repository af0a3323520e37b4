/* hook.c - the nftables table that gives the router's packets to packet queue 0.
 *
 *     table inet nstcp-impair {
 *         flags owner
 *         chain forward { type filter hook forward priority 2147483647; queue }
 *     }
 *
 * The hook `forward` is where a packet is as good as sent: routed, its TTL checked and counted
 * down, its length compared with the next MTU, with an ICMP error where one was due. So the kernel
 * does what a router does, once, and nobody but the reader of the queue decides what becomes of it.
 *
 * "queue" is written as iptables' target NFQUEUE: the expression that nft(8) would write is one
 * that not every kernel has (CONFIG_NFT_QUEUE), and an immediate verdict is refused by newer
 * kernels.
 *
 * Last in its hook: what another table refuses never was on the link.
 */
#include "hook.h"

#include "say.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>

#define TABLE "nstcp-impair"
#define CHAIN "forward"

/* The three things to make; any is NULL without memory. */
struct parts {
    struct nftnl_table *table;
    struct nftnl_chain *chain;
    struct nftnl_rule *rule;
    struct nftnl_expr *target;  /* part of the rule, once it is added */
    struct xt_NFQ_info *number; /* part of the target, once it is set */
};

static void describe(const struct parts *p)
{
    nftnl_table_set_str(p->table, NFTNL_TABLE_NAME, TABLE);
    nftnl_table_set_u32(p->table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);

    nftnl_chain_set_str(p->chain, NFTNL_CHAIN_TABLE, TABLE);
    nftnl_chain_set_str(p->chain, NFTNL_CHAIN_NAME, CHAIN);
    nftnl_chain_set_str(p->chain, NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(p->chain, NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
    nftnl_chain_set_s32(p->chain, NFTNL_CHAIN_PRIO, INT32_MAX);

    nftnl_rule_set_str(p->rule, NFTNL_RULE_TABLE, TABLE);
    nftnl_rule_set_str(p->rule, NFTNL_RULE_CHAIN, CHAIN);
    nftnl_expr_set_str(p->target, NFTNL_EXPR_TG_NAME, "NFQUEUE");
    nftnl_expr_set_u32(p->target, NFTNL_EXPR_TG_REV, 0);
    nftnl_expr_set(p->target, NFTNL_EXPR_TG_INFO, p->number, sizeof(*p->number));
    nftnl_rule_add_expr(p->rule, p->target);
}

/* The header of the batch's next message, which ends at *len so far. */
static struct nlmsghdr *next(struct nl *nl, size_t len, uint16_t type, uint16_t flags)
{
    return nftnl_nlmsg_build_hdr(nl->request + len, type, NFPROTO_INET,
                                 (uint16_t)(NLM_F_CREATE | flags), nl->seq + 1);
}

static int make(struct nl *nl, const struct parts *p)
{
    size_t len = nftnl_batch_begin(nl->request, nl->seq + 1)->nlmsg_len;
    struct nlmsghdr *h = next(nl, len, NFT_MSG_NEWTABLE, NLM_F_EXCL);
    nftnl_table_nlmsg_build_payload(h, p->table);
    len += h->nlmsg_len;
    h = next(nl, len, NFT_MSG_NEWCHAIN, 0);
    nftnl_chain_nlmsg_build_payload(h, p->chain);
    len += h->nlmsg_len;
    h = next(nl, len, NFT_MSG_NEWRULE, NLM_F_APPEND | NLM_F_ACK);
    nftnl_rule_nlmsg_build_payload(h, p->rule);
    len += h->nlmsg_len;
    len += nftnl_batch_end(nl->request + len, nl->seq + 1)->nlmsg_len;
    return nl_talk_batch(nl, len);
}

static int refused(struct nl *nl, const char *why)
{
    nl_close(nl);
    return say_failed("nftables", why, "impair: take over the forwarding");
}

int hook_set(struct nl *hook)
{
    if (nl_open(hook, NETLINK_NETFILTER) < 0)
        return refused(hook, strerror(errno));
    struct parts p = {nftnl_table_alloc(), nftnl_chain_alloc(), nftnl_rule_alloc(),
                      nftnl_expr_alloc("target"), calloc(1, sizeof(*p.number))};
    int err = -ENOMEM;
    if (p.table && p.chain && p.rule && p.target && p.number) {
        describe(&p);
        err = make(hook, &p);
        p.target = NULL;
        p.number = NULL;
    }
    free(p.number);
    if (p.target)
        nftnl_expr_free(p.target);
    if (p.rule)
        nftnl_rule_free(p.rule);
    if (p.chain)
        nftnl_chain_free(p.chain);
    if (p.table)
        nftnl_table_free(p.table);
    return err == 0 ? 0 : refused(hook, hook->why[0] ? hook->why : strerror(-err));
}

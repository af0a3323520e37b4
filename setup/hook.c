/* hook.c - the nftables table that gives the router's packets to packet queues.
 *
 *     table inet nstcp-impair {
 *         flags owner
 *         chain forward {
 *             type filter hook forward priority 2147483647
 *             oif "router-veth1" queue to 0
 *             oif "router-veth2" queue to 1
 *         }
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
 *
 * When a chain goes from a hook, the kernel drops whatever waits in any packet queue. So the end of
 * it has two steps: without its rules the chain lets everything pass, and takes nothing new.
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

#define EXPRESSIONS 3

static void free_expressions(struct nftnl_expr *e[EXPRESSIONS])
{
    for (int i = 0; i < EXPRESSIONS; i++)
        if (e[i])
            nftnl_expr_free(e[i]);
}

/* "oif INDEX queue to NUMBER"; NULL without memory. */
static struct nftnl_rule *make_rule(uint32_t index, int number)
{
    struct nftnl_expr *e[EXPRESSIONS] = {nftnl_expr_alloc("meta"), nftnl_expr_alloc("cmp"),
                                         nftnl_expr_alloc("target")};
    struct nftnl_rule *rule = nftnl_rule_alloc();
    struct xt_NFQ_info *info = calloc(1, sizeof(*info));
    if (!e[0] || !e[1] || !e[2] || !rule || !info) {
        free_expressions(e);
        if (rule)
            nftnl_rule_free(rule);
        free(info);
        return NULL;
    }
    nftnl_expr_set_u32(e[0], NFTNL_EXPR_META_KEY, NFT_META_OIF);
    nftnl_expr_set_u32(e[0], NFTNL_EXPR_META_DREG, NFT_REG_1);
    nftnl_expr_set_u32(e[1], NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    nftnl_expr_set_u32(e[1], NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
    nftnl_expr_set_u32(e[1], NFTNL_EXPR_CMP_DATA, index);
    info->queuenum = (uint16_t)number;
    nftnl_expr_set_str(e[2], NFTNL_EXPR_TG_NAME, "NFQUEUE");
    nftnl_expr_set_u32(e[2], NFTNL_EXPR_TG_REV, 0);
    nftnl_expr_set(e[2], NFTNL_EXPR_TG_INFO, info, sizeof(*info)); /* which owns it then */
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
    for (int i = 0; i < EXPRESSIONS; i++)
        nftnl_rule_add_expr(rule, e[i]);
    return rule;
}

/* The batch's next message, which ends at *len so far; its payload is to be added. */
static struct nlmsghdr *next(struct nl *nl, size_t len, uint16_t type, uint16_t flags)
{
    return nftnl_nlmsg_build_hdr(nl->request + len, type, NFPROTO_INET, flags, nl->seq + 1);
}

static size_t put_table(struct nl *nl, size_t len)
{
    struct nftnl_table *table = nftnl_table_alloc();
    if (!table)
        return 0;
    nftnl_table_set_str(table, NFTNL_TABLE_NAME, TABLE);
    nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    struct nlmsghdr *h = next(nl, len, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_table_nlmsg_build_payload(h, table);
    nftnl_table_free(table);
    return h->nlmsg_len;
}

static size_t put_chain(struct nl *nl, size_t len)
{
    struct nftnl_chain *chain = nftnl_chain_alloc();
    if (!chain)
        return 0;
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, TABLE);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, CHAIN);
    nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
    nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, INT32_MAX);
    struct nlmsghdr *h = next(nl, len, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    nftnl_chain_nlmsg_build_payload(h, chain);
    nftnl_chain_free(chain);
    return h->nlmsg_len;
}

static size_t put_rule(struct nl *nl, size_t len, uint32_t index, int number, uint16_t flags)
{
    struct nftnl_rule *rule = make_rule(index, number);
    if (!rule)
        return 0;
    struct nlmsghdr *h =
        next(nl, len, NFT_MSG_NEWRULE, (uint16_t)(NLM_F_CREATE | NLM_F_APPEND | flags));
    nftnl_rule_nlmsg_build_payload(h, rule);
    nftnl_rule_free(rule);
    return h->nlmsg_len;
}

/* 0, or a negative errno. A part of length 0 is one that no memory was left for. */
static int make(struct nl *nl, const uint32_t index[], int count)
{
    size_t len = nftnl_batch_begin(nl->request, nl->seq + 1)->nlmsg_len;
    size_t part = put_table(nl, len);
    len += part;
    part = part ? put_chain(nl, len) : 0;
    len += part;
    for (int n = 0; n < count && part; n++) {
        part = put_rule(nl, len, index[n], n, n == count - 1 ? NLM_F_ACK : 0);
        len += part;
    }
    if (!part)
        return -ENOMEM;
    len += nftnl_batch_end(nl->request + len, nl->seq + 1)->nlmsg_len;
    return nl_talk_batch(nl, len);
}

void hook_pass(struct nl *hook)
{
    struct nftnl_rule *all = nftnl_rule_alloc();
    if (!all)
        return;
    nftnl_rule_set_str(all, NFTNL_RULE_TABLE, TABLE);
    nftnl_rule_set_str(all, NFTNL_RULE_CHAIN, CHAIN);
    size_t len = nftnl_batch_begin(hook->request, hook->seq + 1)->nlmsg_len;
    struct nlmsghdr *h = next(hook, len, NFT_MSG_DELRULE, NLM_F_ACK);
    nftnl_rule_nlmsg_build_payload(h, all);
    nftnl_rule_free(all);
    len += h->nlmsg_len;
    len += nftnl_batch_end(hook->request + len, hook->seq + 1)->nlmsg_len;
    nl_talk_batch(hook, len);
}

static int refused(struct nl *nl, const char *why)
{
    nl_close(nl);
    return say_failed("nftables", why, "impair: take over the forwarding");
}

int hook_set(struct nl *hook, const uint32_t index[], int count)
{
    if (nl_open(hook, NETLINK_NETFILTER) < 0)
        return refused(hook, strerror(errno));
    int err = make(hook, index, count);
    return err == 0 ? 0 : refused(hook, hook->why[0] ? hook->why : strerror(-err));
}

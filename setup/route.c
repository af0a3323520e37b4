/* route.c - default routes over rtnetlink: RTM_NEWROUTE, RTM_GETROUTE.
 *
 * See rtnetlink(7). The device is left out: the kernel finds it by the gateway. Routes to the
 * links themselves come with the addresses.
 */
#include "route.h"

#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>

int route_set_default(struct ns *ns, int af, const char *gateway)
{
    struct rtmsg rtm = {.rtm_family = (uint8_t)af,
                        .rtm_table = RT_TABLE_MAIN,
                        .rtm_protocol = RTPROT_BOOT,
                        .rtm_scope = RT_SCOPE_UNIVERSE,
                        .rtm_type = RTN_UNICAST};
    struct in6_addr raw;

    if (inet_pton(af, gateway, &raw) != 1)
        return say_failed(ns->name, "not an address", "default route via %s", gateway);
    struct nlmsghdr *req =
        nl_begin(&ns->nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &rtm, sizeof(rtm));
    mnl_attr_put(req, RTA_GATEWAY, af == AF_INET6 ? sizeof(raw) : sizeof(struct in_addr), &raw);
    if (nl_talk(&ns->nl, NULL, NULL) < 0)
        return say_failed(ns->name, ns->nl.why, "default route via %s", gateway);
    return 0;
}

/* What is known of the default routes so far, and of the one being read. */
struct search {
    const void *raw; /* the gateway of the one being read */
    uint32_t metric; /* its metric */
    uint32_t best;   /* the least so far: the kernel follows that one */
    char *gateway;   /* and its gateway, "" before the first */
};

static int take_attr(const struct nlattr *attr, void *arg)
{
    struct search *search = arg;
    if (mnl_attr_get_type(attr) == RTA_GATEWAY)
        search->raw = mnl_attr_get_payload(attr);
    if (mnl_attr_get_type(attr) == RTA_PRIORITY)
        search->metric = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *nlh, void *arg)
{
    struct search *search = arg;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    if (rtm->rtm_dst_len != 0 || rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_type != RTN_UNICAST)
        return MNL_CB_OK;
    search->raw = NULL;
    search->metric = 0;
    mnl_attr_parse(nlh, sizeof(*rtm), take_attr, search);
    if (!search->raw || (search->gateway[0] && search->metric >= search->best))
        return MNL_CB_OK;
    search->best = search->metric;
    inet_ntop(rtm->rtm_family, search->raw, search->gateway, TOPO_ADDR_MAX);
    return MNL_CB_OK;
}

int route_get_default(struct nl *nl, int af, char gateway[TOPO_ADDR_MAX])
{
    struct rtmsg rtm = {.rtm_family = (uint8_t)af};
    struct search search = {.gateway = gateway};
    int err;
    do {
        gateway[0] = '\0';
        nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
        err = nl_talk(nl, take_route, &search);
    } while (err == -EINTR); /* something changed while the kernel was telling */
    return err;
}

/* link.c - devices over rtnetlink: RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK,
 * RTM_GETNSID.
 *
 * See rtnetlink(7), veth(4), include/uapi/linux/if_link.h. A veth's peer is born in its own
 * namespace (IFLA_NET_NS_FD inside VETH_INFO_PEER), so no device ever passes through the
 * caller's. No addresses here.
 */
#include "link.h"

#include "say.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 3000

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
    if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
        snprintf(to, size, "%s", mnl_attr_get_str(attr));
}

static int take_kind(const struct nlattr *attr, void *arg)
{
    struct link_info *info = arg;
    if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
        copy_text(info->kind, sizeof(info->kind), attr);
    return MNL_CB_OK;
}

static int take_attr(const struct nlattr *attr, void *arg)
{
    struct link_info *info = arg;
    switch (mnl_attr_get_type(attr)) {
    case IFLA_LINK:
        info->peer = (int)mnl_attr_get_u32(attr);
        break;
    case IFLA_LINK_NETNSID:
        info->peer_ns = (int)mnl_attr_get_u32(attr);
        break;
    case IFLA_MTU:
        info->mtu = mnl_attr_get_u32(attr);
        break;
    case IFLA_OPERSTATE:
        info->running = mnl_attr_get_u8(attr) == IF_OPER_UP;
        break;
    case IFLA_IFALIAS:
        copy_text(info->alias, sizeof(info->alias), attr);
        break;
    case IFLA_LINKINFO:
        mnl_attr_parse_nested(attr, take_kind, info);
        break;
    case IFLA_STATS64: {
        size_t len = mnl_attr_get_payload_len(attr); /* an older kernel's is shorter */
        memcpy(&info->stats, mnl_attr_get_payload(attr),
               len < sizeof(info->stats) ? len : sizeof(info->stats));
        break;
    }
    default:
        break;
    }
    return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
    struct link_info *info = arg;
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    *info = (struct link_info){.index = ifi->ifi_index, .peer_ns = -1, .flags = ifi->ifi_flags};
    mnl_attr_parse(nlh, sizeof(*ifi), take_attr, info);
    return MNL_CB_OK;
}

/* A request about the device of that name. */
static struct nlmsghdr *begin(struct nl *nl, uint16_t type, int flags, const char *dev)
{
    struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
    struct nlmsghdr *req = nl_begin(nl, type, flags, &ifi, sizeof(ifi));
    mnl_attr_put_strz(req, IFLA_IFNAME, dev);
    return req;
}

int link_get(struct nl *nl, const char *dev, struct link_info *info)
{
    begin(nl, RTM_GETLINK, 0, dev);
    return nl_talk(nl, take_link, info);
}

static int take_id(const struct nlattr *attr, void *arg)
{
    if (mnl_attr_get_type(attr) == NETNSA_NSID)
        *(int *)arg = (int)mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

static int take_ns(const struct nlmsghdr *nlh, void *arg)
{
    mnl_attr_parse(nlh, sizeof(struct rtgenmsg), take_id, arg);
    return MNL_CB_OK;
}

/* Whether `number` is what one namespace calls the other. */
static bool is_number_of(struct ns *one, int number, const struct ns *other)
{
    struct rtgenmsg gen = {.rtgen_family = AF_UNSPEC};
    int found = NETNSA_NSID_NOT_ASSIGNED;
    struct nlmsghdr *req = nl_begin(&one->nl, RTM_GETNSID, 0, &gen, sizeof(gen));
    mnl_attr_put_u32(req, NETNSA_FD, (uint32_t)other->fd);
    return nl_talk(&one->nl, take_ns, &found) == 0 && found >= 0 && found == number;
}

bool link_is_pair(struct ns *a, const char *dev_a, struct ns *b, const char *dev_b)
{
    struct link_info one, two;
    /* Indexes alone say little: every namespace begins to count at the same number. */
    return link_get(&a->nl, dev_a, &one) == 0 && link_get(&b->nl, dev_b, &two) == 0 &&
           strcmp(one.kind, "veth") == 0 && strcmp(two.kind, "veth") == 0 &&
           one.peer == two.index && two.peer == one.index && is_number_of(a, one.peer_ns, b) &&
           is_number_of(b, two.peer_ns, a);
}

int link_make_pair(struct ns *a, const char *dev_a, struct ns *b, const char *dev_b)
{
    struct nlmsghdr *req = begin(&a->nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, dev_a);
    struct nlattr *info = mnl_attr_nest_start(req, IFLA_LINKINFO);
    mnl_attr_put_str(req, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(req, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(req, VETH_INFO_PEER);
    mnl_nlmsg_put_extra_header(req, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(req, IFLA_IFNAME, dev_b);
    mnl_attr_put_u32(req, IFLA_NET_NS_FD, (uint32_t)b->fd);
    mnl_attr_nest_end(req, peer);
    mnl_attr_nest_end(req, data);
    mnl_attr_nest_end(req, info);
    if (nl_talk(&a->nl, NULL, NULL) < 0)
        return say_failed(dev_a, a->nl.why, "make a veth pair with %s in %s", dev_b, b->name);
    return 0;
}

int link_set_up(struct ns *ns, const char *dev)
{
    struct ifinfomsg ifi = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct nlmsghdr *req = nl_begin(&ns->nl, RTM_SETLINK, 0, &ifi, sizeof(ifi));
    mnl_attr_put_strz(req, IFLA_IFNAME, dev);
    mnl_attr_put(req, IFLA_IFALIAS, strlen(TOPO_MARK), TOPO_MARK);
    if (nl_talk(&ns->nl, NULL, NULL) < 0)
        return say_failed(dev, ns->nl.why, "bring up in %s", ns->name);
    return 0;
}

/* The kernel starts the queue of the end that came up first a little later, from a work queue; a
 * packet sent before that is lost. So `up` is not done until every end says it is running. */
int link_wait_running(struct ns *ns, const char *dev)
{
    const struct timespec ms = {.tv_nsec = 1000000};
    struct link_info info;
    for (int i = 0; i < WAIT_MS; i++) {
        if (link_get(&ns->nl, dev, &info) < 0)
            return say_failed(dev, ns->nl.why, "ask for its state in %s", ns->name);
        if (info.running)
            return 0;
        nanosleep(&ms, NULL);
    }
    return say_failed(dev, "no carrier from its peer", "wait until it runs in %s", ns->name);
}

int link_delete(struct ns *ns, const char *dev)
{
    begin(&ns->nl, RTM_DELLINK, 0, dev);
    int err = nl_talk(&ns->nl, NULL, NULL);
    if (err < 0 && err != -ENODEV)
        return say_failed(dev, ns->nl.why, "delete in %s", ns->name);
    return 0;
}

/* addr.c - addresses over rtnetlink: RTM_NEWADDR, RTM_GETADDR.
 *
 * See rtnetlink(7), include/uapi/linux/if_addr.h. IPv6 addresses are set with IFA_F_NODAD: without
 * it RFC 4862 5.4 keeps an address unusable for a second, and nobody else is on a veth.
 */
#include "addr.h"

#include "link.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int addr_set(struct ns *ns, const char *dev, int af, const char *addr)
{
    struct link_info info;
    char text[TOPO_ADDR_MAX];
    struct in6_addr raw;

    snprintf(text, sizeof(text), "%s", addr);
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (!slash || inet_pton(af, text, &raw) != 1)
        return say_failed(dev, "not an address with a prefix length", "address %s", addr);
    if (link_get(&ns->nl, dev, &info) < 0)
        return say_failed(dev, ns->nl.why, "address %s in %s", addr, ns->name);

    struct ifaddrmsg ifa = {.ifa_family = (uint8_t)af,
                            .ifa_prefixlen = (uint8_t)atoi(slash + 1),
                            .ifa_flags = af == AF_INET6 ? IFA_F_NODAD : 0,
                            .ifa_index = (uint32_t)info.index};
    struct nlmsghdr *req =
        nl_begin(&ns->nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &ifa, sizeof(ifa));
    size_t len = af == AF_INET6 ? sizeof(raw) : sizeof(struct in_addr);
    mnl_attr_put(req, IFA_LOCAL, len, &raw);
    mnl_attr_put(req, IFA_ADDRESS, len, &raw);
    if (nl_talk(&ns->nl, NULL, NULL) < 0)
        return say_failed(dev, ns->nl.why, "address %s in %s", addr, ns->name);
    return 0;
}

/* What one RTM_NEWADDR of a dump says. */
struct found {
    const struct ifaddrmsg *ifa;
    const void *local, *address;
};

static int take_attr(const struct nlattr *attr, void *arg)
{
    struct found *found = arg;
    if (mnl_attr_get_type(attr) == IFA_LOCAL)
        found->local = mnl_attr_get_payload(attr);
    if (mnl_attr_get_type(attr) == IFA_ADDRESS)
        found->address = mnl_attr_get_payload(attr);
    return MNL_CB_OK;
}

static int take_addr(const struct nlmsghdr *nlh, void *arg)
{
    struct addr_list *list = arg;
    struct found found = {.ifa = mnl_nlmsg_get_payload(nlh)};
    char text[INET6_ADDRSTRLEN];

    if ((int)found.ifa->ifa_index != list->dev || found.ifa->ifa_scope == RT_SCOPE_LINK)
        return MNL_CB_OK;
    mnl_attr_parse(nlh, sizeof(*found.ifa), take_attr, &found);
    const void *raw = found.local ? found.local : found.address;
    if (list->count < ADDR_LIST_MAX && raw &&
        inet_ntop(found.ifa->ifa_family, raw, text, sizeof(text)))
        snprintf(list->text[list->count++], TOPO_ADDR_MAX, "%s/%d", text, found.ifa->ifa_prefixlen);
    return MNL_CB_OK;
}

int addr_list(struct nl *nl, struct addr_list *list)
{
    struct ifaddrmsg ifa = {.ifa_family = AF_UNSPEC};
    int err;
    do {
        list->count = 0;
        nl_begin(nl, RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa));
        err = nl_talk(nl, take_addr, list);
    } while (err == -EINTR); /* something changed while the kernel was telling */
    return err;
}

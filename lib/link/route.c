/* Routes from the kernel, remembered: see route.h. */
#include "route.h"

#include <errno.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "nstime.h"
#include "rtnl.h"
#include "siphash.h"

#define SLOTS       1024 /* a destination has one slot, the last to come has it */
#define CHECK_NS    (10 * NS_PER_MS)
#define MTU_DEFAULT 1500

#define BIT(group) (1U << ((group)-1))
#define WATCHED                                                                                    \
    (BIT(RTNLGRP_LINK) | BIT(RTNLGRP_IPV4_IFADDR) | BIT(RTNLGRP_IPV4_ROUTE) |                      \
     BIT(RTNLGRP_IPV4_RULE) | BIT(RTNLGRP_IPV6_IFADDR) | BIT(RTNLGRP_IPV6_ROUTE) |                 \
     BIT(RTNLGRP_IPV6_RULE) | BIT(RTNLGRP_IPV6_IFINFO))

struct device {
    uint32_t ifindex, mtu;
    uint32_t mtu6; /* what IPv6 makes of it: routers may say less (RFC 4861 4.6.4); 0: the same */
    struct mac_addr mac;
    bool ethernet, up;
    bool part_of_other; /* of a bridge, a bond, a VRF */
};

struct slot {
    uint64_t generation; /* the answer holds while this is the table's */
    struct ip_addr dst;
    int err; /* 0, or what the kernel said instead of a route */
    struct route route;
};

struct route_table {
    pthread_mutex_t lock;
    struct rtnl rtnl;
    struct mnl_socket *watch; /* subscribed to changes */
    uint64_t checked;         /* when it was last read */
    uint64_t generation;      /* counts the changes; never 0 */
    uint64_t devices_of;      /* the generation that `devices` belongs to */
    struct device *devices;
    size_t n_devices, room_devices;
    struct siphash_key key;
    struct slot slots[SLOTS];
};

static int open_watch(struct route_table *t)
{
    t->watch = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (t->watch == NULL || mnl_socket_bind(t->watch, WATCHED, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    return 0;
}

int route_create(struct route_table **out)
{
    struct route_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return -ENOMEM;
    pthread_mutex_init(&t->lock, NULL);
    t->generation = 1;
    int err = open_watch(t); /* before the first question, so that no change is missed */
    if (err == 0)
        err = rtnl_open(&t->rtnl);
    if (err == 0 && getrandom(&t->key, sizeof t->key, 0) != sizeof t->key)
        err = -errno;
    if (err < 0) {
        route_destroy(t);
        return err;
    }
    *out = t;
    return 0;
}

void route_destroy(struct route_table *t)
{
    if (t == NULL)
        return;
    if (t->watch != NULL)
        mnl_socket_close(t->watch);
    rtnl_close(&t->rtnl);
    pthread_mutex_destroy(&t->lock);
    free(t->devices);
    free(t);
}

/* Reads what the kernel has announced. What exactly has changed does not matter: any of it may
 * change any route. */
static void refresh(struct route_table *t)
{
    char buf[1024]; /* the rest of a longer message is thrown away */
    bool changed = false;
    for (;;) {
        ssize_t got = recv(mnl_socket_get_fd(t->watch), buf, sizeof buf, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != ENOBUFS) /* ENOBUFS: announcements were lost */
            break;
        changed = true;
    }
    t->generation += changed;
}

static void refresh_if_due(struct route_table *t, uint64_t now)
{
    if (now - t->checked < CHECK_NS)
        return;
    t->checked = now;
    refresh(t);
}

void route_refresh(struct route_table *t)
{
    pthread_mutex_lock(&t->lock);
    refresh(t);
    pthread_mutex_unlock(&t->lock);
}

/* --- devices --- */

/* IFLA_AF_SPEC, and what is in it: IFLA_INET6_CONF is an array of numbers. */
static int read_inet6(const struct nlattr *a, void *ctx)
{
    struct device *d = ctx;
    const uint32_t *conf = mnl_attr_get_payload(a);
    if (mnl_attr_get_type(a) == IFLA_INET6_CONF &&
        mnl_attr_get_payload_len(a) > DEVCONF_MTU6 * sizeof *conf)
        d->mtu6 = conf[DEVCONF_MTU6];
    return MNL_CB_OK;
}

static int read_family(const struct nlattr *a, void *ctx)
{
    return mnl_attr_get_type(a) == AF_INET6 ? mnl_attr_parse_nested(a, read_inet6, ctx) : MNL_CB_OK;
}

static int read_device_attr(const struct nlattr *a, void *ctx)
{
    struct device *d = ctx;
    uint16_t len = mnl_attr_get_payload_len(a);
    switch (mnl_attr_get_type(a)) {
    case IFLA_ADDRESS:
        if (len == sizeof d->mac.b)
            memcpy(d->mac.b, mnl_attr_get_payload(a), sizeof d->mac.b);
        break;
    case IFLA_MTU:
        d->mtu = mnl_attr_get_u32(a);
        break;
    case IFLA_MASTER:
        d->part_of_other = true;
        break;
    case IFLA_AF_SPEC:
        return mnl_attr_parse_nested(a, read_family, d);
    default:
        break;
    }
    return MNL_CB_OK;
}

static bool read_device(const struct nlmsghdr *h, struct device *d)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof *info)
        return false;
    *d = (struct device){.ifindex = (uint32_t)info->ifi_index,
                         .ethernet = info->ifi_type == ARPHRD_ETHER,
                         .up = (info->ifi_flags & IFF_UP) != 0};
    return mnl_attr_parse(h, sizeof *info, read_device_attr, d) == MNL_CB_OK;
}

static int add_device(const struct nlmsghdr *h, void *ctx)
{
    struct route_table *t = ctx;
    if (t->n_devices == t->room_devices) {
        size_t room = t->room_devices == 0 ? 8 : 2 * t->room_devices;
        struct device *v = realloc(t->devices, room * sizeof *v);
        if (v == NULL) {
            errno = ENOMEM;
            return MNL_CB_ERROR;
        }
        t->devices = v;
        t->room_devices = room;
    }
    t->n_devices += read_device(h, &t->devices[t->n_devices]);
    return MNL_CB_OK;
}

/* Makes t->devices current. */
static int load_devices(struct route_table *t)
{
    if (t->devices_of == t->generation)
        return 0;
    char buf[RTNL_REQUEST_MAX];
    void *info;
    struct nlmsghdr *h =
        rtnl_request(&t->rtnl, buf, RTM_GETLINK, NLM_F_DUMP, &info, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    t->n_devices = 0;
    int err = rtnl_ask(&t->rtnl, h, add_device, t);
    if (err == 0)
        t->devices_of = t->generation;
    return err;
}

/* The last entry for the index: a dump that had to be repeated leaves older ones before it. */
static const struct device *find_device(const struct route_table *t, uint32_t ifindex)
{
    for (size_t i = t->n_devices; i-- > 0;) {
        if (t->devices[i].ifindex == ifindex)
            return &t->devices[i];
    }
    return NULL;
}

uint32_t route_device_mtu(struct route_table *t, uint32_t ifindex, uint64_t now)
{
    pthread_mutex_lock(&t->lock);
    refresh_if_due(t, now);
    const struct device *d = load_devices(t) == 0 ? find_device(t, ifindex) : NULL;
    uint32_t mtu = d != NULL && d->ethernet && !d->part_of_other ? d->mtu : 0;
    pthread_mutex_unlock(&t->lock);
    return mtu;
}

uint32_t route_min_mtu(struct route_table *t)
{
    uint32_t mtu = 0;
    pthread_mutex_lock(&t->lock);
    if (load_devices(t) == 0) {
        for (size_t i = 0; i < t->n_devices; i++) {
            const struct device *d = &t->devices[i];
            if (d->ethernet && !d->part_of_other && (mtu == 0 || d->mtu < mtu))
                mtu = d->mtu;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return mtu != 0 ? mtu : MTU_DEFAULT;
}

/* --- routes --- */

static bool read_addr(const struct nlattr *a, struct ip_addr *out)
{
    switch (mnl_attr_get_payload_len(a)) {
    case 4:
        *out = ip_addr_v4_bytes(mnl_attr_get_payload(a));
        return true;
    case 16:
        *out = ip_addr_v6_bytes(mnl_attr_get_payload(a));
        return true;
    default:
        return false;
    }
}

/* What the kernel's answer says; route.mtu is 0 when the route has none of its own. */
struct answer {
    unsigned char type; /* RTN_... */
    bool has_source, has_via;
    struct route route;
};

static int read_metric(const struct nlattr *a, void *ctx)
{
    struct answer *out = ctx;
    if (mnl_attr_get_type(a) == RTAX_MTU)
        out->route.mtu = mnl_attr_get_u32(a);
    return MNL_CB_OK;
}

static int read_route_attr(const struct nlattr *a, void *ctx)
{
    struct answer *out = ctx;
    switch (mnl_attr_get_type(a)) {
    case RTA_OIF:
        out->route.ifindex = mnl_attr_get_u32(a);
        break;
    case RTA_GATEWAY:
        read_addr(a, &out->route.next_hop);
        break;
    case RTA_VIA:
        out->has_via = true;
        break;
    case RTA_PREFSRC:
        out->has_source = read_addr(a, &out->route.source);
        break;
    case RTA_METRICS:
        return mnl_attr_parse_nested(a, read_metric, out);
    default:
        break;
    }
    return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *h, void *ctx)
{
    struct answer *out = ctx;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
    if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof *rtm)
        return MNL_CB_OK;
    out->type = rtm->rtm_type;
    return mnl_attr_parse(h, sizeof *rtm, read_route_attr, out);
}

/* The errors are those that connect() on a kernel socket gives. */
static int type_error(unsigned char type)
{
    switch (type) {
    case RTN_UNICAST:
        return 0;
    case RTN_LOCAL:
        return -EADDRNOTAVAIL;
    case RTN_UNREACHABLE:
        return -EHOSTUNREACH;
    case RTN_PROHIBIT:
        return -EACCES;
    case RTN_BLACKHOLE:
        return -EINVAL;
    default:
        return -ENETUNREACH;
    }
}

/* Asks the kernel. */
static int ask_route(struct route_table *t, const struct ip_addr *dst, struct route *out)
{
    if (ip_addr_is_loopback(dst))
        return -EADDRNOTAVAIL;
    if (!ip_addr_is_unicast(dst))
        return -ENETUNREACH;
    bool v4 = ip_addr_is_v4(dst);
    uint32_t zone = ip_addr_zone(dst);
    const struct ip_addr there = ip_addr_on_wire(dst);
    char buf[RTNL_REQUEST_MAX];
    void *extra;
    struct nlmsghdr *h = rtnl_request(&t->rtnl, buf, RTM_GETROUTE, 0, &extra, sizeof(struct rtmsg));
    struct rtmsg *rtm = extra;
    rtm->rtm_family = v4 ? AF_INET : AF_INET6;
    rtm->rtm_dst_len = v4 ? 32 : 128;
    mnl_attr_put(h, RTA_DST, v4 ? 4 : 16, v4 ? ip_addr_v4_of(dst) : there.b);
    if (zone != 0)
        mnl_attr_put_u32(h, RTA_OIF, zone);

    struct answer answer = {.type = RTN_UNSPEC, .route.next_hop = there};
    int err = rtnl_ask(&t->rtnl, h, read_route, &answer);
    if (err == 0)
        err = type_error(answer.type);
    if (err == 0)
        err = load_devices(t);
    if (err < 0)
        return err;
    const struct device *d = find_device(t, answer.route.ifindex);
    if (d == NULL || !d->up)
        return -ENETDOWN;
    if (!d->ethernet)
        return -EOPNOTSUPP;
    if (answer.has_via)
        return -EAFNOSUPPORT;
    if (!answer.has_source)
        return -ENETUNREACH;
    *out = answer.route;
    ip_addr_set_zone(&out->source, out->ifindex);
    out->mac = d->mac;
    uint32_t mtu = !v4 && d->mtu6 != 0 && d->mtu6 < d->mtu ? d->mtu6 : d->mtu;
    if (out->mtu == 0 || out->mtu > mtu)
        out->mtu = mtu;
    return 0;
}

/* Whether the answer will stay the same until something changes. */
static bool lasting(int err)
{
    return err != -ENOMEM && err != -ENOBUFS && err != -EIO;
}

static struct slot *slot_of(struct route_table *t, const struct ip_addr *dst)
{
    return &t->slots[siphash(&t->key, dst, sizeof *dst) % SLOTS];
}

void route_forget(struct route_table *t, const struct ip_addr *dst)
{
    pthread_mutex_lock(&t->lock);
    slot_of(t, dst)->generation = 0;
    pthread_mutex_unlock(&t->lock);
}

int route_lookup(struct route_table *t, const struct ip_addr *dst, uint64_t now, struct route *out)
{
    pthread_mutex_lock(&t->lock);
    refresh_if_due(t, now);
    struct slot *s = slot_of(t, dst);
    if (s->generation != t->generation || !ip_addr_eq(&s->dst, dst)) {
        s->dst = *dst;
        s->err = ask_route(t, dst, &s->route);
        s->generation = lasting(s->err) ? t->generation : 0;
    }
    int err = s->err;
    if (err == 0)
        *out = s->route;
    pthread_mutex_unlock(&t->lock);
    return err;
}

bool route_is_local(struct route_table *t, const struct ip_addr *addr, uint64_t now)
{
    struct route unused;
    return route_lookup(t, addr, now, &unused) == -EADDRNOTAVAIL;
}

/* --- addresses --- */

struct addr_list {
    struct ip_addr *v;
    size_t n, max;
};

/* IFA_LOCAL is ours; where there is one, IFA_ADDRESS is the other end of a point-to-point link. */
static int read_addr_attr(const struct nlattr *a, void *ctx)
{
    struct ip_addr *addr = ctx;
    uint16_t type = mnl_attr_get_type(a);
    if (type == IFA_LOCAL || (type == IFA_ADDRESS && ip_addr_is_any(addr)))
        read_addr(a, addr);
    return MNL_CB_OK;
}

static int add_addr(const struct nlmsghdr *h, void *ctx)
{
    struct addr_list *list = ctx;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
    if (h->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(h) < sizeof *ifa)
        return MNL_CB_OK;
    struct ip_addr addr = IP_ADDR_ANY6;
    mnl_attr_parse(h, sizeof *ifa, read_addr_attr, &addr);
    ip_addr_set_zone(&addr, ifa->ifa_index);
    if (!ip_addr_is_unicast(&addr) || ip_addr_is_loopback(&addr))
        return MNL_CB_OK;
    if (list->n < list->max)
        list->v[list->n] = addr;
    list->n++;
    return MNL_CB_OK;
}

int route_local_addrs(struct route_table *t, struct ip_addr *v, size_t max)
{
    struct addr_list list = {v, 0, max};
    char buf[RTNL_REQUEST_MAX];
    void *extra;
    pthread_mutex_lock(&t->lock);
    struct nlmsghdr *h =
        rtnl_request(&t->rtnl, buf, RTM_GETADDR, NLM_F_DUMP, &extra, sizeof(struct ifaddrmsg));
    int err = rtnl_ask(&t->rtnl, h, add_addr, &list);
    pthread_mutex_unlock(&t->lock);
    return err < 0 ? err : (int)list.n;
}

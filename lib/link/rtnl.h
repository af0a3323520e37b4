/*
 * One rtnetlink socket for questions: a request, and its answers at once. rtnetlink(7), netlink(7).
 * Called by route.c only.
 */
#ifndef RTNL_H
#define RTNL_H

#include <stdint.h>

#include <libmnl/libmnl.h>

#define RTNL_REQUEST_MAX 128   /* enough for every request of ours */
#define RTNL_ANSWER_MAX  32768 /* what the kernel fills at most per read of a dump */

struct rtnl {
    struct mnl_socket *nl;
    uint32_t seq;
    char answer[RTNL_ANSWER_MAX];
};

/* Negative errno. */
int rtnl_open(struct rtnl *r);
void rtnl_close(struct rtnl *r);

/* Begins a request in buf, of RTNL_REQUEST_MAX octets, with `extra` zeroed octets (*extra_out) for
 * the family header. flags: NLM_F_DUMP for a dump. */
struct nlmsghdr *rtnl_request(struct rtnl *r, char *buf, uint16_t type, uint16_t flags,
                              void **extra_out, size_t extra);

/* Sends it and calls each() for every answer. Never waits: the kernel answers within the call. The
 * kernel's own negative errno, or -EIO when it said nothing sensible. */
int rtnl_ask(struct rtnl *r, const struct nlmsghdr *request, mnl_cb_t each, void *ctx);

#endif

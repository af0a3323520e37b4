/* Questions to the kernel over rtnetlink: see rtnl.h. */
#include "rtnl.h"

#include <errno.h>
#include <sys/socket.h>

#define DUMP_TRIES 4

int rtnl_open(struct rtnl *r)
{
    r->seq = 0;
    r->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (r->nl == NULL)
        return -errno;
    if (mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
        int err = -errno;
        rtnl_close(r);
        return err;
    }
    return 0;
}

void rtnl_close(struct rtnl *r)
{
    if (r->nl != NULL)
        mnl_socket_close(r->nl);
    r->nl = NULL;
}

struct nlmsghdr *rtnl_request(struct rtnl *r, char *buf, uint16_t type, uint16_t flags,
                              void **extra_out, size_t extra)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    h->nlmsg_seq = ++r->seq;
    *extra_out = mnl_nlmsg_put_extra_header(h, extra);
    return h;
}

static ssize_t read_some(struct rtnl *r)
{
    ssize_t got;
    do {
        got = recv(mnl_socket_get_fd(r->nl), r->answer, sizeof r->answer, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return got;
}

static int ask_once(struct rtnl *r, const struct nlmsghdr *request, mnl_cb_t each, void *ctx)
{
    while (mnl_socket_sendto(r->nl, request, request->nlmsg_len) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    for (;;) {
        ssize_t got = read_some(r);
        if (got <= 0)
            return -EIO;
        int verdict = mnl_cb_run(r->answer, (size_t)got, request->nlmsg_seq,
                                 mnl_socket_get_portid(r->nl), each, ctx);
        if (verdict == MNL_CB_STOP)
            return 0;
        if (verdict == MNL_CB_OK)
            continue;
        int err = -errno;
        while (read_some(r) > 0) { /* what is left must not answer the next question */
        }
        return err;
    }
}

int rtnl_ask(struct rtnl *r, const struct nlmsghdr *request, mnl_cb_t each, void *ctx)
{
    int err = 0;
    /* libmnl's EINTR: what is dumped changed meanwhile. The answers of all tries go to each(). */
    for (int i = 0; i < DUMP_TRIES; i++) {
        err = ask_once(r, request, each, ctx);
        if (err != -EINTR)
            break;
    }
    return err;
}

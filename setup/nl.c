/* nl.c - netlink requests over libmnl, with extended acknowledgements.
 *
 * See netlink(7), rtnetlink(7) and include/uapi/linux/netlink.h. Requests are numbered by a
 * counter, so that an answer can belong to one request only. It knows no message type.
 */
#include "nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What the callbacks of one nl_talk need. */
struct talk {
    struct nl *nl;
    mnl_cb_t cb;
    void *arg;
};

int nl_open(struct nl *nl, int bus)
{
    *nl = (struct nl){.sock = mnl_socket_open2(bus, SOCK_CLOEXEC)};
    if (!nl->sock)
        return -1;
    int on = 1;
    /* Both are courtesies of newer kernels: the reason in words, and without our request. */
    mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
    mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
    return mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID);
}

void nl_close(struct nl *nl)
{
    if (nl->sock)
        mnl_socket_close(nl->sock);
    nl->sock = NULL;
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, int flags, void *body, size_t body_len)
{
    struct nlmsghdr *req = mnl_nlmsg_put_header(nl->request);
    int ack = (flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK;
    req->nlmsg_type = type;
    req->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | ack | flags);
    memcpy(mnl_nlmsg_put_extra_header(req, body_len), body, body_len);
    return req;
}

static int take_text(const struct nlattr *attr, void *arg)
{
    const char **text = arg;
    if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
        mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
        *text = mnl_attr_get_str(attr);
    return MNL_CB_OK;
}

/* An acknowledgement: errno, and behind it the attributes of NETLINK_EXT_ACK. */
static int take_ack(const struct nlmsghdr *nlh, void *arg)
{
    struct talk *talk = arg;
    const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
    const char *text = NULL;
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err)) {
        errno = EBADMSG;
        return MNL_CB_ERROR;
    }
    if (err->error == 0)
        return MNL_CB_STOP;
    errno = -err->error;
    if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
        size_t at = sizeof(*err);
        if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
            at += mnl_nlmsg_get_payload_len(&err->msg);
        mnl_attr_parse(nlh, (unsigned int)at, take_text, &text);
    }
    if (text)
        snprintf(talk->nl->why, sizeof(talk->nl->why), "%s (%s)", text, strerror(-err->error));
    return MNL_CB_ERROR;
}

/* The end of a dump, with what ended it. */
static int take_done(const struct nlmsghdr *nlh, void *arg)
{
    (void)arg;
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int))
        return MNL_CB_STOP;
    int err = *(const int *)mnl_nlmsg_get_payload(nlh);
    errno = -err;
    return err < 0 ? MNL_CB_ERROR : MNL_CB_STOP;
}

static int take_answer(const struct nlmsghdr *nlh, void *arg)
{
    struct talk *talk = arg;
    return talk->cb ? talk->cb(nlh, talk->arg) : MNL_CB_OK;
}

static int converse(struct nl *nl, size_t request_len, mnl_cb_t cb, void *arg)
{
    mnl_cb_t control[NLMSG_MIN_TYPE] = {[NLMSG_ERROR] = take_ack, [NLMSG_DONE] = take_done};
    _Alignas(8) char buf[32768];
    struct talk answers = {nl, cb, arg};
    unsigned int port = mnl_socket_get_portid(nl->sock);

    nl->seq++;
    if (mnl_socket_sendto(nl->sock, nl->request, request_len) < 0)
        return -1;
    for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
        ssize_t len = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
        if (len < 0)
            return -1;
        const struct nlmsghdr *first = (const struct nlmsghdr *)buf;
        if (mnl_nlmsg_ok(first, (int)len) && first->nlmsg_seq != nl->seq)
            continue; /* the late answer to a request that was given up */
        more = mnl_cb_run2(buf, (size_t)len, nl->seq, port, take_answer, &answers, control,
                           NLMSG_MIN_TYPE);
        if (more < 0)
            return -1;
    }
    return 0;
}

/* converse(), and the reason in words. */
static int talk(struct nl *nl, size_t request_len, mnl_cb_t cb, void *arg)
{
    nl->why[0] = '\0';
    if (converse(nl, request_len, cb, arg) == 0)
        return 0;
    int err = errno;
    if (!nl->why[0])
        snprintf(nl->why, sizeof(nl->why), "%s", strerror(err));
    return -err;
}

int nl_talk(struct nl *nl, mnl_cb_t cb, void *arg)
{
    struct nlmsghdr *req = (struct nlmsghdr *)nl->request;
    req->nlmsg_seq = nl->seq + 1;
    return talk(nl, req->nlmsg_len, cb, arg);
}

int nl_talk_batch(struct nl *nl, size_t len)
{
    return talk(nl, len, NULL, NULL);
}

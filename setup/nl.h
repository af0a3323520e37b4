/* nl.h - one netlink conversation: a request, its answers, its acknowledgement. */
#ifndef NETNS_NL_H
#define NETNS_NL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

/* A netlink socket. It stays in the network namespace where it was opened. */
struct nl {
    struct mnl_socket *sock;
    uint32_t seq;  /* of the last request */
    char why[256]; /* why the last request failed, in the kernel's own words */
    _Alignas(8) char request[1024];
};

/* bus: NETLINK_ROUTE, or another protocol of netlink(7). 0, or -1 with errno set. */
int nl_open(struct nl *nl, int bus);

/* Allowed on a zeroed and on a closed one. */
void nl_close(struct nl *nl);

/* Begins a request in nl's buffer, with room for body_len zeroed bytes (the family's header) at
 * *body. An acknowledgement is asked for, except when flags ask for a dump. */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, int flags, void *body, size_t body_len);

/* Sends the request begun last and hands each answer to cb (NULL: none expected). cb returns
 * MNL_CB_OK. 0, or a negative errno with nl->why filled in; -EINTR: the dump was inconsistent. */
int nl_talk(struct nl *nl, mnl_cb_t cb, void *arg);

/* Sends the first len bytes of nl's buffer: a batch of nfnetlink, each message numbered nl->seq + 1
 * by the caller and only the last with NLM_F_ACK. Returns as nl_talk. */
int nl_talk_batch(struct nl *nl, size_t len);

#endif

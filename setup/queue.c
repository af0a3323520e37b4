/* queue.c - nfnetlink_queue over libmnl.
 *
 * See include/uapi/linux/netfilter/nfnetlink_queue.h. Without NFQA_CFG_F_GSO the kernel cuts a
 * super-frame into packets of the MTU before it queues, and finishes unfinished checksums if the
 * packet is to be copied (NFQNL_COPY_PACKET, not _META): one verdict is for one packet as it is on
 * the wire. We have one octet copied; the packet stays in the kernel.
 *
 * What has been taken costs no room in the socket's buffer any more, and that is small where the
 * administrator's limit holds (not root): so taking goes before letting go. The numbers of the
 * packets are consecutive, and one message lets go all up to a number.
 */
#include "queue.h"

#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_NUMBER  0
#define PACKETS_MAX   16384      /* in the kernel's queue: some 24 MB, more than any TCP window */
#define SOCKET_BUFFER (32 << 20) /* octets: room for the descriptions of PACKETS_MAX packets */
#define MESSAGE_MAX   512        /* of one description, and of one verdict far more than needed */

struct queue_buffers {
    struct mmsghdr messages[QUEUE_BATCH];
    struct iovec pieces[QUEUE_BATCH];
    _Alignas(8) char in[QUEUE_BATCH][MESSAGE_MAX];
    _Alignas(8) char out[QUEUE_BATCH * 64]; /* a verdict is 32 octets long */
};

static struct nfgenmsg header(void)
{
    return (struct nfgenmsg){
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(QUEUE_NUMBER)};
}

static int configure(struct nl *nl)
{
    struct nfgenmsg head = header();
    const struct nfqnl_msg_config_cmd bind = {.command = NFQNL_CFG_CMD_BIND};
    const struct nfqnl_msg_config_params params = {.copy_range = htonl(1),
                                                   .copy_mode = NFQNL_COPY_PACKET};
    struct nlmsghdr *req =
        nl_begin(nl, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, 0, &head, sizeof(head));
    mnl_attr_put(req, NFQA_CFG_CMD, sizeof(bind), &bind);
    mnl_attr_put(req, NFQA_CFG_PARAMS, sizeof(params), &params);
    mnl_attr_put_u32(req, NFQA_CFG_QUEUE_MAXLEN, htonl(PACKETS_MAX));
    return nl_talk(nl, NULL, NULL);
}

static void size_buffer(int fd)
{
    int size = SOCKET_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int refused(struct queue *q, const char *why)
{
    queue_close(q);
    return say_failed("packet queue", why, "impair: open");
}

int queue_open(struct queue *q)
{
    int on = 1;
    *q = (struct queue){0};
    if (nl_open(&q->nl, NETLINK_NETFILTER) < 0)
        return refused(q, strerror(errno));
    if (configure(&q->nl) < 0)
        return refused(q, q->nl.why);
    q->buffers = calloc(1, sizeof(*q->buffers));
    if (!q->buffers)
        return refused(q, strerror(ENOMEM));
    size_buffer(queue_fd(q));
    /* A full buffer is counted by the kernel (queue_overflow); it is no reason to stop. */
    mnl_socket_setsockopt(q->nl.sock, NETLINK_NO_ENOBUFS, &on, sizeof(on));
    for (size_t i = 0; i < QUEUE_BATCH; i++) {
        q->buffers->pieces[i] = (struct iovec){q->buffers->in[i], MESSAGE_MAX};
        q->buffers->messages[i].msg_hdr =
            (struct msghdr){.msg_iov = &q->buffers->pieces[i], .msg_iovlen = 1};
    }
    return 0;
}

void queue_close(struct queue *q)
{
    nl_close(&q->nl);
    free(q->buffers);
    q->buffers = NULL;
}

int queue_fd(const struct queue *q)
{
    return mnl_socket_get_fd(q->nl.sock);
}

/* What a message says of its packet. */
struct described {
    uint32_t id;
    uint32_t out_index;
};

static int take_attr(const struct nlattr *attr, void *arg)
{
    struct described *d = arg;
    if (mnl_attr_get_type(attr) == NFQA_PACKET_HDR) {
        const struct nfqnl_msg_packet_hdr *hdr = mnl_attr_get_payload(attr);
        d->id = ntohl(hdr->packet_id);
    }
    if (mnl_attr_get_type(attr) == NFQA_IFINDEX_OUTDEV)
        d->out_index = ntohl(mnl_attr_get_u32(attr));
    return MNL_CB_OK;
}

/* Puts a verdict at the end of what is to be sent; `type` says on which packets. */
static size_t put_verdict(struct queue *q, size_t len, uint16_t type, uint32_t id, uint32_t verdict)
{
    const struct nfqnl_msg_verdict_hdr what = {.verdict = htonl(verdict), .id = htonl(id)};
    const struct nfgenmsg head = header();
    struct nlmsghdr *h = mnl_nlmsg_put_header(q->buffers->out + len);
    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
    h->nlmsg_flags = NLM_F_REQUEST;
    memcpy(mnl_nlmsg_put_extra_header(h, sizeof(head)), &head, sizeof(head));
    mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof(what), &what);
    return len + h->nlmsg_len;
}

static void send_verdicts(struct queue *q, size_t len)
{
    /* It fails only without memory. Then packets wait for the next verdict, which lets them go. */
    while (len > 0 && mnl_socket_sendto(q->nl.sock, q->buffers->out, len) < 0 && errno == EINTR) {
    }
}

/* One message: the verdict, if its packet is to be dropped, goes to `out` at len. */
static size_t judge_one(struct queue *q, const struct nlmsghdr *h, int size, size_t len,
                        queue_judge *judge, void *arg)
{
    struct described d = {0};
    /* Anything else is the answer to a verdict on a packet that went with its device. */
    if (!mnl_nlmsg_ok(h, size) || h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
        return len;
    mnl_attr_parse(h, sizeof(struct nfgenmsg), take_attr, &d);
    q->newest = d.id;
    return judge(arg, d.out_index) ? len : put_verdict(q, len, NFQNL_MSG_VERDICT, d.id, NF_DROP);
}

bool queue_work(struct queue *q, queue_judge *judge, void *arg)
{
    struct queue_buffers *b = q->buffers;
    size_t len = 0;
    int taken = recvmmsg(queue_fd(q), b->messages, QUEUE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < taken; i++)
        len = judge_one(q, (const void *)b->in[i], (int)b->messages[i].msg_len, len, judge, arg);
    send_verdicts(q, len);

    uint32_t held = q->newest - q->released;
    if (held > 0) {
        q->released += held < QUEUE_BATCH ? held : QUEUE_BATCH;
        send_verdicts(q, put_verdict(q, 0, NFQNL_MSG_VERDICT_BATCH, q->released, NF_ACCEPT));
    }
    return taken == QUEUE_BATCH || q->released != q->newest;
}

uint64_t queue_overflow(void)
{
    FILE *file = fopen("/proc/net/netfilter/nfnetlink_queue", "re");
    uint64_t total = 0;
    unsigned int number;
    unsigned long full, unread;
    char line[256];
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "%u %*u %*u %*u %*u %lu %lu", &number, &full, &unread) == 3 &&
            number == QUEUE_NUMBER)
            total = (uint64_t)full + unread;
    if (file)
        fclose(file);
    return total;
}

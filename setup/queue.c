/* queue.c - nfnetlink_queue over libmnl.
 *
 * See include/uapi/linux/netfilter/nfnetlink_queue.h. Without NFQA_CFG_F_GSO the kernel cuts a
 * super-frame into packets of the MTU before it queues, and finishes unfinished checksums if the
 * packet is to be copied (NFQNL_COPY_PACKET, not _META): one verdict is for one packet as it is on
 * the wire. We have one octet copied where that is enough; the packet stays in the kernel.
 *
 * What has been taken costs no room in the socket's buffer any more, and that is small where the
 * administrator's limit holds (not root): so taking goes before letting go.
 */
#include "queue.h"

#include "nstime.h"
#include "say.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PACKETS_MAX   65536      /* in each of the kernel's queues: half a second of 1 Gbit/s */
#define SOCKET_BUFFER (32 << 20) /* octets: room for the descriptions of 16384 packets or more */
#define MESSAGE_MAX   66048      /* of one description or verdict, with the longest of packets */
#define OUT_MAX       (2 * MESSAGE_MAX)

struct queue_buffers {
    struct mmsghdr messages[QUEUE_BATCH];
    struct iovec pieces[QUEUE_BATCH];
    _Alignas(8) char in[QUEUE_BATCH][MESSAGE_MAX];
    size_t out_len;
    _Alignas(8) char out[OUT_MAX];
};

static struct nfgenmsg header(int number)
{
    return (struct nfgenmsg){
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons((uint16_t)number)};
}

static struct nfqnl_msg_config_params copying(bool whole)
{
    return (struct nfqnl_msg_config_params){.copy_range = htonl(whole ? UINT16_MAX : 1),
                                            .copy_mode = NFQNL_COPY_PACKET};
}

static int configure(struct nl *nl, int number)
{
    struct nfgenmsg head = header(number);
    const struct nfqnl_msg_config_cmd bind = {.command = NFQNL_CFG_CMD_BIND};
    const struct nfqnl_msg_config_params params = copying(false);
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
    for (int number = 0; number < QUEUE_COUNT; number++)
        if (configure(&q->nl, number) < 0)
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

static int take_attr(const struct nlattr *attr, void *arg)
{
    struct queue_packet *packet = arg;
    switch (mnl_attr_get_type(attr)) {
    case NFQA_PACKET_HDR: {
        const struct nfqnl_msg_packet_hdr *hdr = mnl_attr_get_payload(attr);
        packet->number = ntohl(hdr->packet_id);
        break;
    }
    case NFQA_TIMESTAMP: {
        const struct nfqnl_msg_packet_timestamp *stamp = mnl_attr_get_payload(attr);
        packet->came = be64toh(stamp->sec) * NS_PER_S + be64toh(stamp->usec) * NS_PER_US;
        break;
    }
    case NFQA_CAP_LEN: /* only there, and then first, if not all of the packet is */
        packet->len = ntohl(mnl_attr_get_u32(attr));
        break;
    case NFQA_PAYLOAD:
        packet->text = mnl_attr_get_payload(attr);
        packet->text_len = mnl_attr_get_payload_len(attr);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

bool queue_take(struct queue *q, queue_take_one *take, void *arg)
{
    struct queue_buffers *b = q->buffers;
    int taken = recvmmsg(queue_fd(q), b->messages, QUEUE_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < taken; i++) {
        const struct nlmsghdr *h = (const void *)b->in[i];
        /* Anything else is the answer to a verdict on a packet that went with its device. */
        if (!mnl_nlmsg_ok(h, (int)b->messages[i].msg_len) ||
            h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
            continue;
        const struct nfgenmsg *head = mnl_nlmsg_get_payload(h);
        struct queue_packet packet = {.queue = ntohs(head->res_id)};
        mnl_attr_parse(h, sizeof(*head), take_attr, &packet);
        if (packet.len == 0)
            packet.len = packet.text_len;
        take(arg, &packet);
    }
    return taken == QUEUE_BATCH;
}

/* Begins a message at the end of what is to be sent, with room for text_len octets. */
static struct nlmsghdr *begin(struct queue *q, int number, int type, size_t text_len)
{
    if (q->buffers->out_len + text_len + 256 > OUT_MAX)
        queue_flush(q);
    const struct nfgenmsg head = header(number);
    struct nlmsghdr *h = mnl_nlmsg_put_header(q->buffers->out + q->buffers->out_len);
    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
    h->nlmsg_flags = NLM_F_REQUEST;
    memcpy(mnl_nlmsg_put_extra_header(h, sizeof(head)), &head, sizeof(head));
    return h;
}

void queue_show(struct queue *q, bool whole)
{
    const struct nfqnl_msg_config_params params = copying(whole);
    for (int number = 0; number < QUEUE_COUNT; number++) {
        struct nlmsghdr *h = begin(q, number, NFQNL_MSG_CONFIG, 0);
        mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof(params), &params);
        q->buffers->out_len += h->nlmsg_len;
    }
    queue_flush(q);
}

void queue_decide(struct queue *q, const struct queue_verdict *v)
{
    const struct nfqnl_msg_verdict_hdr what = {.verdict = htonl(v->accept ? NF_ACCEPT : NF_DROP),
                                               .id = htonl(v->number)};
    struct nlmsghdr *h =
        begin(q, v->queue, v->up_to ? NFQNL_MSG_VERDICT_BATCH : NFQNL_MSG_VERDICT, v->text_len);
    mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof(what), &what);
    if (v->text)
        mnl_attr_put(h, NFQA_PAYLOAD, v->text_len, v->text);
    q->buffers->out_len += h->nlmsg_len;
}

void queue_flush(struct queue *q)
{
    /* It fails only without memory. Then packets wait for the next verdict, which lets them go. */
    while (q->buffers->out_len > 0 &&
           mnl_socket_sendto(q->nl.sock, q->buffers->out, q->buffers->out_len) < 0 &&
           errno == EINTR) {
    }
    q->buffers->out_len = 0;
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
            number < QUEUE_COUNT)
            total += (uint64_t)full + unread;
    if (file)
        fclose(file);
    return total;
}

/* Packets that have been sent. See link_queue.h. */
#include "link_queue.h"

#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "list.h"
#include "runtime.h"

struct queued {
    struct list node;
    uint64_t sent_ns;
    struct packet packet;
    uint8_t octets[];
};

struct link_queue {
    struct link link;
    struct list sent;
};

static struct link_queue *of(struct link *l)
{
    return container_of(l, struct link_queue, link);
}

/* Without memory a packet is lost, as on a wire. */
static size_t queue_send(struct link *l, const struct packet *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct queued *q = malloc(sizeof *q + packet_len(&p[i]));
        if (!q)
            continue;
        q->sent_ns = runtime_now();
        packet_flatten(&p[i], q->octets, &q->packet);
        list_push_back(&of(l)->sent, &q->node);
    }
    return n;
}

static size_t queue_recv(struct link *l, struct packet *p, size_t n)
{
    (void)l;
    (void)p;
    (void)n;
    return 0;
}

static int queue_poll_fd(const struct link *l)
{
    (void)l;
    return -1;
}

static void queue_destroy(struct link *l)
{
    struct list *node;
    while ((node = list_pop_front(&of(l)->sent)) != NULL)
        free(container_of(node, struct queued, node));
    free(of(l));
}

struct link *link_queue_create(uint32_t mtu)
{
    static const struct link_ops ops = {
        .send = queue_send, .recv = queue_recv, .poll_fd = queue_poll_fd, .destroy = queue_destroy};
    struct link_queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->link = (struct link){&ops, {.mtu = mtu}};
    list_init(&q->sent);
    return &q->link;
}

bool link_queue_take(struct link *link, void *buf, size_t room, size_t *len, uint64_t *time_ns)
{
    struct list *node = list_pop_front(&of(link)->sent);
    if (!node)
        return false;
    struct queued *q = container_of(node, struct queued, node);
    *len = q->packet.head.len;
    *time_ns = q->sent_ns;
    memcpy(buf, q->octets, *len < room ? *len : room);
    free(q);
    return true;
}

/*
 * Packets for which the device had no room. The engine has counted them as sent, and dropping them
 * would look like congestion in the network: half the window gone and a retransmission timeout at a
 * burst's end. So they are copied, at most one batch of them, and the engine is not asked for more
 * until they are gone: its send queues fill and the senders wait, as on any busy device.
 *
 * Waiting for POLLOUT is no way: not every link has a descriptor that knows it. They are tried
 * again at the next pump, which the acknowledgments of what did leave bring about, and by the
 * timer.
 */
#include <stdlib.h>
#include <string.h>

#include "nstime.h"
#include "runtime_priv.h"

/* How long the first one may be refused. A packet that the device will never take, such as one
 * longer than a traffic shaper's burst, must not stand before all others for ever. */
#define PATIENCE_NS (100 * NS_PER_MS)

bool backlog_send(struct runtime *rt, uint64_t now_ns)
{
    struct backlog *b = &rt->backlog;
    if (!b->packets)
        return true;
    size_t sent = rt->link->ops->send(rt->link, b->packets + b->next, b->n - b->next);
    if (sent == 0 && now_ns - b->since_ns >= PATIENCE_NS)
        sent = 1; /* lost, as on a wire */
    if (sent > 0)
        b->since_ns = now_ns;
    b->next += sent;
    if (b->next < b->n)
        return false;
    backlog_finish(b);
    return true;
}

void backlog_keep(struct runtime *rt, const struct packet *p, size_t n, uint64_t now_ns)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += packet_len(&p[i]);
    struct backlog b = {
        .packets = calloc(n, sizeof *b.packets), .n = n, .since_ns = now_ns, .octets = malloc(len)};
    if (!b.packets || !b.octets) {
        backlog_finish(&b);
        return;
    }
    uint8_t *to = b.octets;
    for (size_t i = 0; i < n; i++) {
        struct packet *copy = &b.packets[i];
        copy->csum = p[i].csum;
        copy->gso_size = p[i].gso_size;
        copy->head = (struct bytes){to, p[i].head.len};
        copy->n_body = p[i].n_body;
        memcpy(to, p[i].head.ptr, p[i].head.len);
        to += p[i].head.len;
        for (unsigned k = 0; k < p[i].n_body; k++) {
            copy->body[k] = (struct bytes){to, p[i].body[k].len};
            memcpy(to, p[i].body[k].ptr, p[i].body[k].len);
            to += p[i].body[k].len;
        }
    }
    rt->backlog = b;
}

void backlog_finish(struct backlog *b)
{
    free(b->packets);
    free(b->octets);
    *b = (struct backlog){0};
}

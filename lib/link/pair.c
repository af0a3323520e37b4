/* Two ends in memory: see pair.h. Packets are copied into memory of their own, one piece each,
 * which is used again; an eventfd(2) per end that is polled is readable while packets wait there.
 */
#include "pair.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "check.h"
#include "flat.h"
#include "list.h"

struct queued {
    struct list node;
    size_t len, room;
    uint8_t csum;
    uint16_t gso_size;
    uint8_t octets[]; /* `len` of `room` */
};

struct pair;

struct end {
    struct link link;
    struct pair *pair;
    struct end *peer;
    int event; /* -1: not polled */
    bool gone;
    struct list arrived; /* of struct queued, not received yet */
    size_t n_arrived;
    struct list lent; /* received, until the next recv() */
};

/* Both ends. The lock covers everything in it. */
struct pair {
    pthread_mutex_t lock;
    size_t queue_max;
    struct list spare; /* of struct queued of one packet's size, for the next ones */
    struct end ends[2];
};

static struct end *end_of(const struct link *l)
{
    return (struct end *)(void *)((char *)(uintptr_t)l - offsetof(struct end, link));
}

static void free_list(struct list *head)
{
    struct list *node;
    while ((node = list_pop_front(head)) != NULL)
        free(container_of(node, struct queued, node));
}

/* What the caller may send: more would not pass a real device either. */
static bool within_caps(const struct link_caps *caps, const struct packet *p)
{
    size_t len = packet_len(p);
    bool fits = p->gso_size == 0 ? len <= caps->mtu : len <= caps->super_max + PACKET_HEAD_MAX;
    return fits && (p->csum != CSUM_PARTIAL || caps->csum_offload);
}

/* NULL without memory. All packets that are not super-segments fit into a spare one. */
static struct queued *queued_for(struct pair *pair, size_t len)
{
    size_t mtu = pair->ends[0].link.caps.mtu, room = len > mtu ? len : mtu;
    struct list *spare = room == mtu ? list_pop_front(&pair->spare) : NULL;
    if (spare != NULL)
        return container_of(spare, struct queued, node);
    struct queued *q = malloc(sizeof *q + room);
    if (q != NULL) {
        q->room = room;
        list_init(&q->node);
    }
    return q;
}

static struct queued *copy(struct pair *pair, const struct packet *p)
{
    struct packet flat;
    struct queued *q = queued_for(pair, packet_len(p));
    if (q == NULL)
        return NULL;
    packet_flatten(p, q->octets, &flat);
    q->len = flat.head.len;
    q->csum = flat.csum;
    q->gso_size = flat.gso_size;
    return q;
}

/* What was lent may be used again. */
static void take_back(struct pair *pair, struct list *lent)
{
    struct list *node;
    while ((node = list_pop_front(lent)) != NULL) {
        if (container_of(node, struct queued, node)->room == pair->ends[0].link.caps.mtu)
            list_push_back(&pair->spare, node);
        else
            free(container_of(node, struct queued, node));
    }
}

static size_t pair_send(struct link *l, const struct packet *p, size_t n)
{
    struct end *e = end_of(l), *to = e->peer;
    size_t done = 0;
    pthread_mutex_lock(&e->pair->lock);
    size_t before = to->n_arrived;
    for (; done < n && !to->gone && to->n_arrived < e->pair->queue_max; done++) {
        if (!CHECK(within_caps(&l->caps, &p[done])))
            continue;
        struct queued *q = copy(e->pair, &p[done]);
        if (q == NULL)
            break;
        list_push_back(&to->arrived, &q->node);
        to->n_arrived++;
    }
    if (to->gone)
        done = n;
    if (before == 0 && to->n_arrived > 0 && to->event >= 0)
        eventfd_write(to->event, 1);
    pthread_mutex_unlock(&e->pair->lock);
    return done;
}

static size_t pair_recv(struct link *l, struct packet *p, size_t n)
{
    struct end *e = end_of(l);
    size_t taken = 0;
    pthread_mutex_lock(&e->pair->lock);
    take_back(e->pair, &e->lent);
    for (; taken < n && e->n_arrived > 0; taken++) {
        struct list *node = list_pop_front(&e->arrived);
        const struct queued *q = container_of(node, struct queued, node);
        e->n_arrived--;
        p[taken].head = (struct bytes){q->octets, q->len};
        p[taken].n_body = 0;
        p[taken].csum = q->csum;
        p[taken].gso_size = q->gso_size;
        p[taken].mtu = 0;
        list_push_back(&e->lent, node);
    }
    eventfd_t unused;
    if (taken > 0 && e->n_arrived == 0 && e->event >= 0)
        eventfd_read(e->event, &unused);
    pthread_mutex_unlock(&e->pair->lock);
    return taken;
}

static int pair_poll_fd(const struct link *l)
{
    return end_of(l)->event;
}

static void free_pair(struct pair *pair)
{
    free_list(&pair->spare);
    pthread_mutex_destroy(&pair->lock);
    free(pair);
}

static void pair_destroy(struct link *l)
{
    struct end *e = end_of(l);
    struct pair *pair = e->pair;
    pthread_mutex_lock(&pair->lock);
    e->gone = true;
    if (e->event >= 0)
        close(e->event);
    free_list(&e->arrived);
    free_list(&e->lent);
    e->n_arrived = 0;
    bool last = e->peer->gone;
    pthread_mutex_unlock(&pair->lock);
    if (last)
        free_pair(pair);
}

static const struct link_ops ops = {
    .send = pair_send, .recv = pair_recv, .poll_fd = pair_poll_fd, .destroy = pair_destroy};

int pair_create(const struct pair_config *config, struct link **a, struct link **b)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return -ENOMEM;
    pthread_mutex_init(&pair->lock, NULL);
    pair->queue_max = config->queue_max;
    list_init(&pair->spare);
    for (size_t i = 0; i < 2; i++) {
        struct end *e = &pair->ends[i];
        e->link = (struct link){&ops, config->caps};
        e->pair = pair;
        e->peer = &pair->ends[1 - i];
        list_init(&e->arrived);
        list_init(&e->lent);
        e->event = config->polled ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
        if (config->polled && e->event < 0) {
            int err = -errno;
            if (i == 1)
                close(pair->ends[0].event);
            free_pair(pair);
            return err;
        }
    }
    *a = &pair->ends[0].link;
    *b = &pair->ends[1].link;
    return 0;
}

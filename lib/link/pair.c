/* Two ends in memory: see pair.h. Packets are copied into memory of their own, one piece each; an
 * eventfd(2) per end is readable while packets wait there. */
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
    struct packet packet;
    uint8_t octets[];
};

struct pair;

struct end {
    struct link link;
    struct pair *pair;
    struct end *peer;
    int event;
    bool gone;
    struct list arrived; /* of struct queued, not received yet */
    size_t n_arrived;
    struct list lent; /* received, until the next recv() */
};

/* Both ends. The lock covers everything in it. */
struct pair {
    pthread_mutex_t lock;
    size_t queue_max;
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

/* NULL without memory. */
static struct queued *copy(const struct packet *p)
{
    struct queued *q = malloc(sizeof *q + packet_len(p));
    if (q == NULL)
        return NULL;
    packet_flatten(p, q->octets, &q->packet);
    list_init(&q->node);
    return q;
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
        struct queued *q = copy(&p[done]);
        if (q == NULL)
            break;
        list_push_back(&to->arrived, &q->node);
        to->n_arrived++;
    }
    if (to->gone)
        done = n;
    if (before == 0 && to->n_arrived > 0)
        eventfd_write(to->event, 1);
    pthread_mutex_unlock(&e->pair->lock);
    return done;
}

static size_t pair_recv(struct link *l, struct packet *p, size_t n)
{
    struct end *e = end_of(l);
    size_t taken = 0;
    pthread_mutex_lock(&e->pair->lock);
    free_list(&e->lent);
    for (; taken < n && e->n_arrived > 0; taken++) {
        struct list *node = list_pop_front(&e->arrived);
        e->n_arrived--;
        p[taken] = container_of(node, struct queued, node)->packet;
        list_push_back(&e->lent, node);
    }
    eventfd_t unused;
    if (taken > 0 && e->n_arrived == 0)
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
    pthread_mutex_destroy(&pair->lock);
    free(pair);
}

static void pair_destroy(struct link *l)
{
    struct end *e = end_of(l);
    struct pair *pair = e->pair;
    pthread_mutex_lock(&pair->lock);
    e->gone = true;
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
    for (size_t i = 0; i < 2; i++) {
        struct end *e = &pair->ends[i];
        e->link = (struct link){&ops, config->caps};
        e->pair = pair;
        e->peer = &pair->ends[1 - i];
        list_init(&e->arrived);
        list_init(&e->lent);
        e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (e->event < 0) {
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

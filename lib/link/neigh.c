/*
 * The neighbour table: see neigh.h.
 *
 * RFC 1122 2.3.2.1 wants old entries flushed and lets us do it by "unicast poll": an entry that
 * nobody has confirmed for CONFIRMED_NS is used on, but its neighbour is asked directly, once a
 * second; after POLLS_MAX questions without an answer the address is forgotten and everybody is
 * asked, as after EXPIRED_NS at once. That is RFC 4861 7.3.3's PROBE, without its delay of 5 s,
 * with RFC 4861 10's constants. RFC 1122 2.3.2.1 also wants at most one request per second and
 * destination, and 2.3.2.2 that at least the latest packet waits. There is no timer here: the
 * packets' own retransmission brings the next request (RFC 4861 7.2.2 would have it come by
 * itself).
 */
#include "neigh.h"

#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "nstime.h"
#include "siphash.h"

#define CONFIRMED_NS (30 * NS_PER_S)
#define EXPIRED_NS   (300 * NS_PER_S)
#define ASK_NS       (1 * NS_PER_S)
#define POLLS_MAX    3 /* MAX_UNICAST_SOLICIT */
#define REQUESTS_MAX 3 /* MAX_MULTICAST_SOLICIT */
#define BUCKETS      1024

/* A packet that has waited longer would only surprise its receiver. */
#define WAITING_NS (5 * NS_PER_S)

struct entry {
    struct list hash; /* on its bucket; the free ones are on `unused` */
    struct list used; /* on `known` or `unknown`, least recently used first */
    struct neigh_key key;
    bool known; /* mac is there */
    bool doubt; /* somebody has claimed another one */
    struct mac_addr mac;
    uint64_t confirmed; /* when mac was last heard to be right */
    unsigned requests;  /* unanswered ones */
    uint64_t asked;     /* when the last of them went out */
    struct list waiting;
    unsigned n_waiting;
};

struct neigh_table {
    struct siphash_key seed;
    struct list bucket[BUCKETS];
    struct list known, unknown, unused;
    struct list waiting; /* all packets that wait, oldest first */
    size_t waiting_size;
    uint64_t dropped;
    struct entry entries[NEIGH_MAX];
};

struct neigh_table *neigh_create(const uint8_t seed[16])
{
    struct neigh_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    memcpy(&t->seed, seed, sizeof t->seed);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&t->bucket[i]);
    list_init(&t->known);
    list_init(&t->unknown);
    list_init(&t->unused);
    list_init(&t->waiting);
    for (size_t i = 0; i < NEIGH_MAX; i++) {
        list_init(&t->entries[i].waiting);
        list_init(&t->entries[i].used);
        list_push_back(&t->unused, &t->entries[i].hash);
    }
    return t;
}

static size_t waiting_size(const struct neigh_packet *w)
{
    return sizeof *w + w->packet.head.len;
}

void neigh_packet_free(struct neigh_packet *w)
{
    free(w);
}

static void end_wait(struct neigh_table *t, struct neigh_packet *w)
{
    list_remove(&w->node);
    list_remove(&w->age);
    w->entry->n_waiting--;
    t->waiting_size -= waiting_size(w);
}

static void drop(struct neigh_table *t, struct neigh_packet *w)
{
    end_wait(t, w);
    t->dropped++;
    neigh_packet_free(w);
}

/* Throws the oldest packet that waits for e away. */
static void drop_first(struct neigh_table *t, struct entry *e)
{
    drop(t, container_of(e->waiting.next, struct neigh_packet, node));
}

/* Makes room for a packet of that size, at the cost of those that have waited longest: neighbours
 * that never answer must not keep it all. */
static void make_room(struct neigh_table *t, size_t size)
{
    while (t->waiting_size + size > NEIGH_WAITING_SIZE && !list_empty(&t->waiting))
        drop(t, container_of(t->waiting.next, struct neigh_packet, age));
}

static void drop_all(struct neigh_table *t, struct entry *e)
{
    while (e->n_waiting > 0)
        drop_first(t, e);
}

void neigh_destroy(struct neigh_table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < NEIGH_MAX; i++)
        drop_all(t, &t->entries[i]);
    free(t);
}

static struct list *bucket_of(struct neigh_table *t, const struct neigh_key *key)
{
    uint8_t flat[20];
    memcpy(flat, key->ip.b, 16);
    memcpy(flat + 16, &key->ifindex, 4);
    return &t->bucket[siphash(&t->seed, flat, sizeof flat) % BUCKETS];
}

static struct entry *find(struct neigh_table *t, const struct neigh_key *key)
{
    struct list *bucket = bucket_of(t, key);
    for (struct list *n = bucket->next; n != bucket; n = n->next) {
        struct entry *e = container_of(n, struct entry, hash);
        if (e->key.ifindex == key->ifindex && ip_addr_eq(&e->key.ip, &key->ip))
            return e;
    }
    return NULL;
}

/* Marks e as the most recently used of its kind. Neighbours that never answered have a list of
 * their own and go first: a scan of the subnet must not push out the gateway (RFC 6583). */
static void touch(struct neigh_table *t, struct entry *e)
{
    list_remove(&e->used);
    list_push_back(e->known ? &t->known : &t->unknown, &e->used);
}

/* A new entry for key, in the place of another if need be. */
static struct entry *add(struct neigh_table *t, const struct neigh_key *key)
{
    struct list *free_node = list_pop_front(&t->unused);
    struct entry *e;
    if (free_node != NULL) {
        e = container_of(free_node, struct entry, hash);
    } else {
        struct list *from = list_empty(&t->unknown) ? &t->known : &t->unknown;
        e = container_of(from->next, struct entry, used);
        drop_all(t, e);
        list_remove(&e->hash);
    }
    e->key = *key;
    e->known = e->doubt = false;
    e->requests = 0;
    list_push_back(bucket_of(t, key), &e->hash);
    return e;
}

/* Time passed since `then`. Several threads ask, each with a `now` read a little earlier, so `then`
 * may lie in the future: that is no time at all, not nearly 2^64 ns. */
static uint64_t since(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}

/* What to ask now, and the note that it has been asked. */
static enum neigh_ask ask_now(struct entry *e, uint64_t now)
{
    uint64_t age = since(e->confirmed, now);
    if (e->known && !e->doubt && e->requests == 0 && age < CONFIRMED_NS)
        return NEIGH_ASK_NOTHING;
    if (e->requests > 0 && since(e->asked, now) < ASK_NS)
        return NEIGH_ASK_NOTHING;
    if (e->known && (e->requests >= POLLS_MAX || age >= EXPIRED_NS)) {
        e->known = false;
        e->requests = 0;
    }
    e->asked = now;
    e->requests++;
    return e->known && !e->doubt ? NEIGH_ASK_IT : NEIGH_ASK_ALL;
}

bool neigh_lookup(struct neigh_table *t, const struct neigh_key *key, uint64_t now,
                  struct mac_addr *mac, enum neigh_ask *ask)
{
    struct entry *e = find(t, key);
    if (e == NULL)
        e = add(t, key);
    *ask = ask_now(e, now);
    touch(t, e);
    if (e->known)
        *mac = e->mac;
    return e->known;
}

void neigh_wait(struct neigh_table *t, const struct neigh_key *key, const struct packet *p,
                uint64_t now)
{
    struct entry *e = find(t, key);
    struct neigh_packet *w = NULL;
    size_t size = sizeof *w + packet_len(p);
    if (e != NULL && size <= NEIGH_WAITING_SIZE)
        w = malloc(size);
    if (w == NULL) {
        t->dropped++;
        return;
    }
    if (e->n_waiting == NEIGH_WAITING_MAX)
        drop_first(t, e);
    make_room(t, size);
    packet_flatten(p, w->octets, &w->packet);
    w->since = now;
    w->entry = e;
    list_push_back(&e->waiting, &w->node);
    list_push_back(&t->waiting, &w->age);
    e->n_waiting++;
    t->waiting_size += waiting_size(w);
}

static void release_waiting(struct neigh_table *t, struct entry *e, uint64_t now,
                            struct list *ready)
{
    while (e->n_waiting > 0) {
        struct neigh_packet *w = container_of(e->waiting.next, struct neigh_packet, node);
        if (since(w->since, now) > WAITING_NS) {
            drop_first(t, e);
            continue;
        }
        end_wait(t, w);
        list_push_back(ready, &w->node);
    }
}

bool neigh_failed(struct neigh_table *t, const struct neigh_key *key)
{
    const struct entry *e = find(t, key);
    return e != NULL && !e->known && e->requests > REQUESTS_MAX;
}

/* Somebody claims another address than the known one, without our having asked. */
static void contradict(struct entry *e, enum neigh_claim claim, uint64_t now)
{
    if (!e->known)
        return;
    if (claim != NEIGH_SECOND)
        e->doubt = true;
    else if (e->requests == 0 && since(e->confirmed, now) < CONFIRMED_NS)
        e->confirmed = now > CONFIRMED_NS ? now - CONFIRMED_NS : 0; /* RFC 4861 7.2.5: STALE */
}

void neigh_heard(struct neigh_table *t, const struct neigh_key *key, enum neigh_claim claim,
                 const struct mac_addr *mac, uint64_t now, struct list *ready)
{
    struct entry *e = find(t, key);
    if (e == NULL)
        return;
    bool same = e->known && (mac == NULL || memcmp(e->mac.b, mac->b, sizeof mac->b) == 0);
    bool asked = (claim == NEIGH_ANSWER || (claim == NEIGH_SECOND && !e->known)) && e->requests > 0;
    if (!same && (!asked || mac == NULL)) {
        contradict(e, claim, now);
        return;
    }
    if (claim == NEIGH_UNASKED)
        return;
    if (!same)
        e->mac = *mac;
    e->known = true;
    e->doubt = false;
    e->confirmed = now;
    e->requests = 0;
    touch(t, e);
    release_waiting(t, e, now, ready);
}

void neigh_doubt(struct neigh_table *t, const struct neigh_key *key)
{
    struct entry *e = find(t, key);
    if (e != NULL && e->known && e->requests == 0)
        e->requests = POLLS_MAX - 1; /* one more without an answer, and it is forgotten */
}

uint64_t neigh_dropped(const struct neigh_table *t)
{
    return t->dropped;
}

/*
 * Fragments wait in a list for each packet, by offset: see reassembly.h. RFC 815 keeps a list of
 * holes instead; a list of what is there is as long, and shows overlaps.
 *
 * RFC 1122 3.3.2 and RFC 8200 4.5 want an ICMP Time Exceeded for a packet that stays incomplete. We
 * send none: TCP finds out by itself, and whoever sends fragments on purpose gets no answer.
 */
#include "reassembly.h"

#include "codec.h"
#include "minmax.h"

struct piece {
    struct list node;
    uint32_t offset, len; /* octets of the packet's payload */
    uint8_t octets[];
};

/* A packet in the making. */
struct gathering {
    struct list bucket, age;
    struct ip_hdr hdr; /* of the first to come; once it is there, of the one at offset 0 */
    uint64_t since_ns;
    uint32_t number; /* of all that its bucket has seen */
    bool spoiled;    /* without pieces: whatever comes is thrown away (RFC 5722 3) */
    uint32_t total, have;
    uint32_t n_pieces;
    unsigned ecn; /* the code points seen, as bits */
    struct list pieces;
};

#define TOTAL_UNKNOWN UINT32_MAX

void reassembly_init(struct reassembly *r, const struct siphash_key *key, struct mem *mem)
{
    *r = (struct reassembly){.mem = mem, .key = *key};
    list_init(&r->age);
    for (size_t i = 0; i < REASSEMBLY_BUCKETS; i++)
        list_init(&r->bucket[i].packets);
}

static void give(struct reassembly *r, void *ptr, size_t size)
{
    mem_free(r->mem, ptr, size);
    r->used -= size;
}

static void drop_piece(struct reassembly *r, struct piece *f)
{
    give(r, f, sizeof *f + f->len);
    r->dropped++;
}

static void drop_pieces(struct reassembly *r, struct gathering *g)
{
    struct list *node;
    while ((node = list_pop_front(&g->pieces)) != NULL)
        drop_piece(r, container_of(node, struct piece, node));
}

static void drop(struct reassembly *r, struct gathering *g)
{
    drop_pieces(r, g);
    list_remove(&g->bucket);
    list_remove(&g->age);
    give(r, g, sizeof *g);
}

static struct gathering *oldest(struct reassembly *r)
{
    return container_of(r->age.next, struct gathering, age);
}

static void free_whole(struct reassembly *r)
{
    if (r->whole != NULL)
        give(r, r->whole, r->whole_len);
    r->whole = NULL;
}

void reassembly_finish(struct reassembly *r)
{
    while (!list_empty(&r->age))
        drop(r, oldest(r));
    free_whole(r);
}

/* Memory, at the cost of what has waited longest. NULL when the engine has none. */
static void *take(struct reassembly *r, size_t size)
{
    size_t most = (size_t)min_u64(REASSEMBLY_BYTES, r->mem->limit / 4);
    while (r->used + size > most && !list_empty(&r->age))
        drop(r, oldest(r));
    void *ptr = mem_alloc(r->mem, size);
    if (ptr != NULL)
        r->used += size;
    return ptr;
}

static struct reassembly_bucket *bucket_of(struct reassembly *r, const struct ip_hdr *h)
{
    struct ip_addr pair[2] = {h->src, h->dst};
    return &r->bucket[siphash(&r->key, pair, sizeof pair) % REASSEMBLY_BUCKETS];
}

/* RFC 791 3.2: source, destination, protocol and identification; RFC 8200 4.5 without the protocol.
 */
static bool same_packet(const struct ip_hdr *a, const struct ip_hdr *b)
{
    return a->id == b->id && ip_addr_eq(&a->src, &b->src) && ip_addr_eq(&a->dst, &b->dst) &&
           (a->proto == b->proto || !ip_addr_is_v4(&a->dst));
}

/* The packet that the fragment belongs to; begins one if need be. NULL without memory. */
static struct gathering *find(struct reassembly *r, const struct ip_hdr *h, uint64_t now_ns)
{
    struct reassembly_bucket *bucket = bucket_of(r, h);
    struct list *packets = &bucket->packets;
    unsigned n = 0;
    for (struct list *node = packets->next; node != packets; node = node->next, n++) {
        struct gathering *g = container_of(node, struct gathering, bucket);
        if (!same_packet(&g->hdr, h))
            continue;
        if (bucket->begun - g->number <= REASSEMBLY_DISTANCE)
            return g;
        drop(r, g);
        break;
    }
    if (n == REASSEMBLY_BUCKET)
        drop(r, container_of(packets->next, struct gathering, bucket));
    struct gathering *g = take(r, sizeof *g);
    if (g == NULL)
        return NULL;
    *g = (struct gathering){.hdr = *h, .since_ns = now_ns, .total = TOTAL_UNKNOWN};
    list_init(&g->pieces);
    g->number = ++bucket->begun;
    list_push_back(packets, &g->bucket);
    list_push_back(&r->age, &g->age);
    return g;
}

/* A copy of the payload: first what `rest` holds of the head, then the body. NULL without memory.
 */
static struct piece *copy(struct reassembly *r, const struct packet *p, const struct ip_hdr *h,
                          struct reader rest)
{
    struct piece *f = take(r, sizeof *f + h->payload_len);
    if (f == NULL)
        return NULL;
    f->offset = h->offset;
    f->len = h->payload_len;
    struct writer w = writer(f->octets, f->len);
    put_bytes(&w, rest.ptr, rest.len);
    for (unsigned i = 0; i < p->n_body; i++)
        put_bytes(&w, p->body[i].ptr, (size_t)min_u64(p->body[i].len, w.len));
    return f;
}

/* What is wrong with a fragment by itself; NULL: nothing. */
static const char *malformed(const struct ip_hdr *h)
{
    uint32_t most = UINT16_MAX - (ip_addr_is_v4(&h->dst) ? IP4_HDR_LEN : 0);
    if (h->payload_len == 0)
        return "fragment: empty";
    if (h->more && h->payload_len % 8 != 0)
        return "fragment: length not a multiple of 8";
    if (h->offset > most || h->payload_len > most - h->offset)
        return "fragment: ends beyond the longest packet";
    bool cuts_header = h->offset > 0 ? h->offset < TCP_HDR_LEN : h->payload_len < TCP_HDR_LEN;
    if (h->proto == IP_PROTO_TCP && cuts_header)
        return "fragment: cuts the TCP header";
    return NULL;
}

static uint32_t end_of(const struct piece *f)
{
    return f->offset + f->len;
}

/* Enters the fragment, which is not the list's any more when this says why not. *spoils: nor may
 * any other of the packet be used. */
static const char *enter(struct gathering *g, struct piece *f, const struct ip_hdr *h, bool *spoils)
{
    struct list *before = g->pieces.prev, *none = &g->pieces;
    while (before != none && container_of(before, struct piece, node)->offset > f->offset)
        before = before->prev;
    const struct piece *prev = before != none ? container_of(before, struct piece, node) : NULL;
    struct list *next = before->next;
    *spoils = false;
    if (prev && prev->offset == f->offset && prev->len == f->len &&
        memcmp(prev->octets, f->octets, f->len) == 0)
        return "fragment: a duplicate";
    *spoils = true;
    if ((prev && end_of(prev) > f->offset) ||
        (next != none && container_of(next, struct piece, node)->offset < end_of(f)))
        return "fragment: overlaps another";
    bool ends_elsewhere = g->total != TOTAL_UNKNOWN && (!h->more || end_of(f) > g->total);
    if (ends_elsewhere || (!h->more && next != none))
        return "fragment: beyond the packet's end";
    if (g->n_pieces == REASSEMBLY_PIECES)
        return "fragment: one of too many";
    if (!h->more)
        g->total = end_of(f);
    if (f->offset == 0)
        g->hdr = *h;
    g->have += f->len;
    g->n_pieces++;
    g->ecn |= 1U << (h->tos & ECN_CE);
    list_push_back(next, &f->node);
    return NULL;
}

/* RFC 3168 5.3: a mark on any fragment is one on the packet, which none that does not take marks
 * can be part of. */
static bool merge_ecn(struct gathering *g)
{
    if (!(g->ecn & 1U << ECN_CE))
        return true;
    g->hdr.tos |= ECN_CE;
    return !(g->ecn & 1U << ECN_NOT_ECT);
}

/* All is there: writes it to *out, and forgets the fragments. */
static const char *complete(struct reassembly *r, struct gathering *g, struct packet *out)
{
    bool ok = merge_ecn(g);
    g->hdr.payload_len = g->total;
    size_t len = ip_hdr_len(&g->hdr.dst) + g->total;
    r->whole = ok ? mem_alloc(r->mem, len) : NULL; /* not take(): it might drop g */
    if (r->whole == NULL) {
        drop(r, g);
        return ok ? "fragment: no memory" : "fragment: ECN (RFC 3168 5.3)";
    }
    r->whole_len = len;
    r->used += len;
    struct writer w = writer(r->whole, len);
    ip_emit(&w, &g->hdr);
    struct list *node;
    while ((node = list_pop_front(&g->pieces)) != NULL) {
        struct piece *f = container_of(node, struct piece, node);
        put_bytes(&w, f->octets, f->len);
        give(r, f, sizeof *f + f->len);
    }
    drop(r, g);
    *out = (struct packet){.head = {r->whole, len}, .csum = CSUM_FULL};
    return NULL;
}

bool reassembly_add(struct reassembly *r, const struct packet *p, uint64_t now_ns,
                    struct packet *out, const char **why)
{
    free_whole(r);
    while (!list_empty(&r->age) && oldest(r)->since_ns + REASSEMBLY_NS <= now_ns)
        drop(r, oldest(r));
    struct reader rest;
    struct ip_hdr h;
    (void)packet_parse_ip(p, &rest, &h);
    *why = malformed(&h);
    struct piece *f = *why ? NULL : copy(r, p, &h, rest);
    /* In this order: making room for f may throw its own packet away, and g would dangle. */
    struct gathering *g = f ? find(r, &h, now_ns) : NULL;
    if (g == NULL) {
        if (f != NULL)
            give(r, f, sizeof *f + f->len);
        r->dropped++;
        *why = *why ? *why : "fragment: no memory";
        return false;
    }
    bool spoils = false;
    *why = g->spoiled ? "fragment: of a packet that is spoiled" : enter(g, f, &h, &spoils);
    if (*why) {
        drop_piece(r, f);
        g->spoiled = g->spoiled || spoils;
        if (g->spoiled)
            drop_pieces(r, g);
        return false;
    }
    if (g->have != g->total)
        return false;
    *why = complete(r, g, out);
    out->zone = p->zone;
    return *why == NULL;
}

/* See link.h. */
#include "link.h"

static void tell(struct link *l, const struct frame *f, const char *fate, uint64_t at_ns)
{
    if (l->watch)
        l->watch(l->ctx, f, fate, at_ns);
}

static bool fault(struct link *l, uint32_t ppm)
{
    return !l->calm && rng_chance(&l->rng, ppm);
}

static bool is_cut(const struct link *l, uint64_t now_ns)
{
    for (uint32_t i = 0; !l->calm && l->cuts >> i; i++)
        if (l->cuts >> i & 1 && cut_holds(&l->cut[i], now_ns))
            return true;
    return false;
}

static bool lost_in_burst(struct link *l)
{
    if (l->plan->burst.begin_ppm == 0)
        return false;
    if (fault(l, l->in_burst ? l->plan->burst.end_ppm : l->plan->burst.begin_ppm))
        l->in_burst = !l->in_burst;
    return l->in_burst && fault(l, l->plan->burst.loss_ppm);
}

/* When the packet has left the queue; 0 when the queue is full. */
static uint64_t leaves_at(struct link *l, const struct frame *f, uint64_t now_ns)
{
    if (l->plan->rate == 0)
        return now_ns;
    uint64_t from = l->busy_until_ns > now_ns ? l->busy_until_ns : now_ns;
    if (from - now_ns > l->plan->queue_ns)
        return 0;
    l->busy_until_ns = from + f->len * UINT64_C(1000000000) / l->plan->rate;
    return l->busy_until_ns;
}

static void travel(struct link *l, struct frame *f, uint64_t leave_ns, const char *fate)
{
    uint64_t at = leave_ns + l->plan->delay_ns + rng_below(&l->rng, l->plan->jitter_ns + 1);
    if (fault(l, l->plan->reorder_ppm)) {
        fate = "late";
        at += rng_below(&l->rng, l->plan->reorder_ns + 1);
    } else {
        /* Jitter alone keeps the order. */
        if (at < l->last_at_ns)
            at = l->last_at_ns;
        l->last_at_ns = at;
    }
    f->refs++;
    ++*l->in_flight;
    tell(l, f, fate, at);
    queue_push(l->queue, at, EVENT_FRAME, l->to, f);
}

static uint32_t mtu_now(const struct link *l, uint64_t now_ns)
{
    uint32_t mtu = 0;
    for (uint32_t i = 0; i < l->plan->n_mtu && l->plan->mtu[i].from_ns <= now_ns; i++)
        mtu = l->plan->mtu[i].mtu;
    return mtu;
}

/* What a router does with what the link does not take. Of a broken packet it knows not whom to
 * tell. */
static bool too_big(struct link *l, const struct frame *f, uint64_t now_ns)
{
    uint32_t mtu = mtu_now(l, now_ns);
    if (mtu == 0 || frame_packet_max(f) <= mtu)
        return false;
    tell(l, f, "too big", 0);
    if (!f->corrupt && !l->plan->mtu_silent)
        l->refused(l, frame_too_big(f, mtu, &l->rng));
    return true;
}

/* Breaks it, or does with its checksum and its end what devices do. */
static void handle(struct link *l, struct frame *f)
{
    if (f->corrupt)
        return;
    if (fault(l, l->plan->corrupt_ppm)) {
        frame_corrupt(f, &l->rng);
    } else if (fault(l, l->plan->shorten_ppm)) {
        frame_shorten(f, &l->rng);
    } else if (l->plan->csum != LINK_CSUM_KEEP) {
        frame_finish_csum(f);
        if (l->plan->csum == LINK_CSUM_VERIFIED)
            f->csum = CSUM_VERIFIED;
    } else if (f->gso_size == 0 && f->csum == CSUM_FULL && f->padding == 0 &&
               fault(l, l->plan->pad_ppm)) {
        frame_pad(f, &l->rng);
    }
}

/* Active queue management that knows ECN. */
static bool marked(struct link *l, struct frame *f)
{
    return l->plan->ecn && frame_mark(f);
}

static void one(struct link *l, struct frame *f, uint64_t now_ns)
{
    if (too_big(l, f, now_ns))
        return;
    uint64_t leave_ns = leaves_at(l, f, now_ns);
    bool cut = is_cut(l, now_ns);
    if (leave_ns == 0)
        l->overflown(l, f);
    if (leave_ns > now_ns + l->plan->queue_ns / 2 || (l->plan->ecn && fault(l, l->plan->mark_ppm)))
        marked(l, f);
    if (cut && l->answers && !f->corrupt && !f->icmp && fault(l, l->plan->unreach_ppm))
        l->refused(l, frame_unreachable(f, &l->rng));
    if (leave_ns == 0 || cut || lost_in_burst(l) ||
        (fault(l, l->plan->loss_ppm) && !marked(l, f)) || rng_chance(&l->rng, l->loss_ppm)) {
        tell(l, f, leave_ns == 0 ? "queue full" : "lost", 0);
        return;
    }
    bool good = !f->corrupt;
    handle(l, f);
    travel(l, f, leave_ns, good && f->corrupt ? "corrupted" : "");
    if (fault(l, l->plan->dup_ppm)) {
        travel(l, f, leave_ns + rng_below(&l->rng, l->plan->reorder_ns + 1), "duplicate");
    }
}

void link_send(struct link *l, struct frame *f, uint64_t now_ns)
{
    bool split = l->plan->split == SPLIT_ALWAYS ||
                 (l->plan->split == SPLIT_SOMETIMES && rng_one_in(&l->rng, 2));
    f = frame_own(f);
    if (f->gso_size == 0 || !split || f->corrupt) {
        one(l, f, now_ns);
        frame_unref(f);
        return;
    }
    for (uint32_t at = 0; at < f->seg.text_len; at += f->gso_size) {
        uint32_t left = f->seg.text_len - at;
        struct frame *piece = frame_piece(f, at, left < f->gso_size ? left : f->gso_size);
        one(l, piece, now_ns);
        frame_unref(piece);
    }
    frame_unref(f);
}

/* Records of what was sent. See scoreboard.h. Called by loss.c and rack.c. */
#include "scoreboard.h"

#include "check.h"
#include "minmax.h"
#include "nstime.h"

static struct sent *of_seq(struct list *l)
{
    return container_of(l, struct sent, by_seq);
}

static uint32_t len(const struct sent *s)
{
    return (uint32_t)seq_diff(s->end, s->start);
}

static struct sent *last(const struct scoreboard *b)
{
    return list_empty(&b->by_seq) ? NULL : of_seq(b->by_seq.prev);
}

struct sent *scoreboard_first(const struct scoreboard *b)
{
    return list_empty(&b->by_seq) ? NULL : of_seq(b->by_seq.next);
}

static struct sent *next(const struct scoreboard *b, const struct sent *s)
{
    return s->by_seq.next == &b->by_seq ? NULL : of_seq(s->by_seq.next);
}

static struct sent *prev(const struct scoreboard *b, const struct sent *s)
{
    return s->by_seq.prev == &b->by_seq ? NULL : of_seq(s->by_seq.prev);
}

void scoreboard_init(struct scoreboard *b, struct mem *mem, seq_t una)
{
    *b = (struct scoreboard){.mem = mem, .fack = una};
    list_init(&b->by_seq);
    list_init(&b->flying);
    list_init(&b->missing);
}

static struct sent *alloc(struct scoreboard *b)
{
    struct sent *s = mem_alloc(b->mem, sizeof *s);
    b->refused |= !s;
    return s;
}

/* The spare one is in use while it covers something. */
static struct sent *make(struct scoreboard *b)
{
    struct sent *s = alloc(b);
    if (!s && list_empty(&b->by_seq))
        s = &b->spare;
    return s;
}

static void drop(struct scoreboard *b, struct sent *s)
{
    if (b->near == s)
        b->near = prev(b, s) ? prev(b, s) : next(b, s);
    list_remove(&s->by_seq);
    list_remove(&s->line);
    b->n--;
    if (s != &b->spare)
        mem_free(b->mem, s, sizeof *s);
}

void scoreboard_finish(struct scoreboard *b)
{
    for (struct sent *s; (s = scoreboard_first(b));)
        drop(b, s);
    b->sacked = b->lost = 0;
}

/* Behind `at` in a list. */
static void insert(struct list *at, struct list *node)
{
    list_push_back(at->next, node);
}

/* Behind what on `missing` s belongs. It is mostly what was sent last; else the nearest record that
 * is lost tells, above or below: so all n that there are, in whatever order they are lost, take n
 * log n steps, not n^2. */
static struct list *missing_before(struct scoreboard *b, struct sent *s)
{
    struct list *back = b->missing.prev;
    if (back == &b->missing || seq_lt(sent_of_line(back)->start, s->start))
        return back;
    for (struct sent *below = s, *above = s;;) {
        below = prev(b, below);
        above = next(b, above); /* there is one: what is at the back */
        if (!below)
            return &b->missing;
        if (below->lost)
            return &below->line;
        if (above->lost)
            return above->line.prev;
    }
}

/* Cuts s at `cut`, which lies in it; returns the upper part, or NULL for want of memory. */
static struct sent *split(struct scoreboard *b, struct sent *s, seq_t cut)
{
    struct sent *upper = alloc(b);
    if (!upper)
        return NULL;
    *upper = *s;
    upper->start = s->end = cut;
    insert(&s->by_seq, &upper->by_seq);
    b->n++;
    list_init(&upper->line);
    if (!s->sacked)
        insert(&s->line, &upper->line);
    return upper;
}

static bool alike(const struct sent *p, const struct sent *s)
{
    if (p->sacked || s->sacked)
        return p->sacked && s->sacked;
    return p->lost == s->lost && p->again == s->again && p->shared == s->shared &&
           p->at_ns == s->at_ns;
}

/* Joins s with the one before it if nothing tells them apart any more. */
static void join(struct scoreboard *b, struct sent *s)
{
    struct sent *p = prev(b, s);
    if (!p || s == &b->spare || !alike(p, s))
        return;
    p->end = s->end;
    drop(b, s);
}

/* It is on no line any more, and in no count. */
static void unmark(struct scoreboard *b, struct sent *s)
{
    list_remove(&s->line);
    b->sacked -= s->sacked ? len(s) : 0;
    b->lost -= s->lost ? len(s) : 0;
    s->sacked = s->lost = false;
}

static void fly(struct scoreboard *b, struct sent *s, uint64_t now_ns)
{
    unmark(b, s);
    s->at_ns = now_ns;
    s->shared = false;
    list_push_back(&b->flying, &s->line);
}

/* The last record that begins below `right`; NULL: none does. From where the last one was. */
static struct sent *last_below(const struct scoreboard *b, seq_t right)
{
    struct sent *s = b->near ? b->near : last(b);
    while (s && !seq_lt(s->start, right))
        s = prev(b, s);
    for (struct sent *n; s && (n = next(b, s)) && seq_lt(n->start, right); s = n)
        continue;
    return s;
}

/* What lies in [from, end) is in flight again. */
static void fly_again(struct scoreboard *b, seq_t from, seq_t end, uint64_t now_ns)
{
    struct sent *s = last_below(b, end), *above = NULL;
    for (struct sent *p; s && seq_lt(from, s->end); s = p) {
        p = prev(b, s);
        if (s->sacked)
            continue;
        if (seq_lt(end, s->end))
            (void)split(b, s, end);
        struct sent *upper = seq_lt(s->start, from) ? split(b, s, from) : NULL;
        s = upper ? upper : s;
        fly(b, s, now_ns);
        s->again = true;
        if (above)
            join(b, above);
        above = s;
    }
    if (above)
        join(b, above);
}

/* A peer with a small MSS and a large window would have us look through them all. */
static bool too_many(const struct scoreboard *b, seq_t end)
{
    return b->n >= SCOREBOARD_MANY &&
           (uint32_t)seq_diff(end, scoreboard_first(b)->start) / b->n < SCOREBOARD_SMALL;
}

static void fly_first(struct scoreboard *b, seq_t from, seq_t end, uint64_t now_ns)
{
    struct sent *tail = last(b);
    bool flies = tail && !tail->sacked && !tail->lost;
    if (flies && !tail->again && tail->at_ns == now_ns) {
        tail->end = end;
        return;
    }
    struct sent *s = flies && too_many(b, end) ? NULL : make(b);
    if (!s) { /* then there is a tail; of what is in it some was sent before */
        fly(b, tail, now_ns);
        tail->again = tail->shared = true;
        tail->end = end;
        return;
    }
    *s = (struct sent){.start = from, .end = end};
    list_init(&s->line);
    list_push_back(&b->by_seq, &s->by_seq);
    b->n++;
    fly(b, s, now_ns);
}

void scoreboard_sent(struct scoreboard *b, seq_t from, seq_t end, uint64_t now_ns)
{
    struct sent *tail = last(b);
    seq_t known = tail ? seq_min(tail->end, end) : from;
    if (seq_lt(from, known))
        fly_again(b, from, known, now_ns);
    if (seq_lt(known, end))
        fly_first(b, seq_max(known, from), end, now_ns);
}

void scoreboard_begin(const struct scoreboard *b, struct delivery *d, uint64_t min_rtt_ns,
                      uint64_t now_ns)
{
    *d = (struct delivery){
        .now_ns = now_ns, .min_rtt_ns = min_rtt_ns, .echo_end_ns = TIME_NEVER, .fack = b->fack};
}

/* RFC 8985 6.2 steps 2 and 3, for [s->start, end). */
static void deliver(struct scoreboard *b, const struct sent *s, seq_t end, struct delivery *d)
{
    d->octets += (uint32_t)seq_diff(end, s->start);
    d->reordered |= seq_lt(end, d->fack) && !s->again;
    b->fack = seq_max(b->fack, end);
    if (s->shared)
        return;
    if (s->again && (s->at_ns >= d->echo_end_ns || d->now_ns - s->at_ns < d->min_rtt_ns))
        return;
    if (d->valid && !sent_after(s->at_ns, end, d->at_ns, d->end))
        return;
    d->valid = true;
    d->again = s->again;
    d->at_ns = s->at_ns;
    d->end = end;
}

void scoreboard_acked(struct scoreboard *b, seq_t una, struct delivery *d)
{
    for (struct sent *s; (s = scoreboard_first(b)) && seq_lt(s->start, una);) {
        seq_t end = seq_min(s->end, una);
        uint32_t n = (uint32_t)seq_diff(end, s->start);
        if (!s->sacked)
            deliver(b, s, end, d);
        b->sacked -= s->sacked ? n : 0;
        b->lost -= s->lost ? n : 0;
        s->start = end;
        if (seq_eq(s->start, s->end))
            drop(b, s);
    }
    b->fack = seq_max(b->fack, una);
}

/* Of the record s, what lies in [left, right); NULL for want of memory, or of patience. */
static struct sent *cut_out(struct scoreboard *b, struct sent *s, seq_t left, seq_t right,
                            uint32_t records_max)
{
    uint32_t cuts = seq_lt(right, s->end) + seq_lt(s->start, left);
    if (cuts > 0 && b->n + cuts > records_max)
        return NULL;
    if (seq_lt(right, s->end) && !split(b, s, right))
        return NULL;
    return seq_lt(s->start, left) ? split(b, s, left) : s;
}

void scoreboard_sacked(struct scoreboard *b, seq_t left, seq_t right, uint32_t records_max,
                       struct delivery *d)
{
    for (struct sent *s = last_below(b, right), *p; s && seq_lt(left, s->end); s = p) {
        b->near = s;
        p = prev(b, s);
        if (s->sacked)
            continue;
        struct sent *piece = cut_out(b, s, left, right, records_max);
        if (!piece)
            continue;
        deliver(b, piece, piece->end, d);
        unmark(b, piece);
        piece->sacked = true;
        b->sacked += len(piece);
        struct sent *above = next(b, piece);
        if (above)
            join(b, above);
        join(b, piece);
    }
}

void scoreboard_lose(struct scoreboard *b, struct sent *s)
{
    if (!CHECK(!s->sacked && !s->lost))
        return;
    list_remove(&s->line);
    s->lost = true;
    b->lost += len(s);
    insert(missing_before(b, s), &s->line);
}

void scoreboard_lose_all(struct scoreboard *b)
{
    for (struct sent *s = scoreboard_first(b); s; s = next(b, s)) {
        if (!s->sacked && !s->lost)
            scoreboard_lose(b, s);
    }
}

static bool no_later(struct list *a, struct list *b)
{
    return sent_of_line(a)->at_ns <= sent_of_line(b)->at_ns;
}

/* Both are by at_ns; at the same time, what is in `into` comes first. */
static void merge(struct list *into, struct list *from)
{
    struct list *at = into->next;
    for (struct list *l; (l = list_pop_front(from)); list_push_back(at, l)) {
        while (at != into && no_later(at, l))
            at = at->next;
    }
}

/* Takes what comes first, in up to 2^doublings runs that are by at_ns each, and merges it. */
static void take_sorted(struct list *from, unsigned doublings, struct list *sorted)
{
    list_init(sorted);
    if (doublings == 0) {
        do
            list_push_back(sorted, list_pop_front(from));
        while (!list_empty(from) && no_later(sorted->prev, from->next));
        return;
    }
    struct list behind;
    take_sorted(from, doublings - 1, sorted);
    if (list_empty(from))
        return;
    take_sorted(from, doublings - 1, &behind);
    merge(sorted, &behind);
}

/* A merge sort: for what was sent once, by number, a single merge. */
void scoreboard_lose_none(struct scoreboard *b)
{
    struct list sorted;
    for (struct list *l = b->missing.next; l != &b->missing; l = l->next)
        sent_of_line(l)->lost = false;
    b->lost = 0;
    for (unsigned doublings = 0; !list_empty(&b->missing); doublings++) {
        take_sorted(&b->missing, doublings, &sorted);
        merge(&b->flying, &sorted);
    }
}

void scoreboard_renege(struct scoreboard *b)
{
    for (struct sent *s = scoreboard_first(b); s; s = next(b, s)) {
        if (!s->sacked)
            continue;
        unmark(b, s);
        scoreboard_lose(b, s);
    }
}

bool scoreboard_missing(const struct scoreboard *b, seq_t *from, seq_t *end)
{
    if (list_empty(&b->missing))
        return false;
    const struct sent *s = sent_of_line(b->missing.next);
    *from = s->start;
    do {
        *end = s->end;
        s = next(b, s);
    } while (s && s->lost);
    return true;
}

/* How many there are on a line, if they are in order and belong there; else UINT32_MAX. */
static uint32_t lined_up(struct list *head, bool lost)
{
    uint32_t n = 0;
    const struct sent *before = NULL;
    for (struct list *l = head->next; l != head; l = l->next) {
        const struct sent *s = sent_of_line(l);
        bool in_order =
            !before || (lost ? seq_lt(before->start, s->start) : before->at_ns <= s->at_ns);
        if (s->sacked || s->lost != lost || !in_order)
            return UINT32_MAX;
        before = s;
        n++;
    }
    return n;
}

bool scoreboard_check(struct scoreboard *b, seq_t una, seq_t nxt)
{
    uint32_t sacked = 0, lost = 0, n_flying = 0, n_missing = 0, n = 0;
    for (struct sent *s = scoreboard_first(b); s; s = next(b, s)) {
        if (!seq_eq(s->start, una) || !seq_lt(s->start, s->end) || (s->sacked && s->lost))
            return false;
        sacked += s->sacked ? len(s) : 0;
        lost += s->lost ? len(s) : 0;
        n_flying += !s->sacked && !s->lost;
        n_missing += s->lost;
        n++;
        una = s->end;
    }
    return seq_eq(una, nxt) && n == b->n && sacked == b->sacked && lost == b->lost &&
           n_flying == lined_up(&b->flying, false) && n_missing == lined_up(&b->missing, true);
}

/* What an ACK says of text beyond a hole: RFC 2018 section 4, RFC 2883 section 4. See sack.h. For
 * the trunk: arrives_sync.c tells what came, output.c asks. */
#include "sack.h"

#include <string.h>

#include "minmax.h"

/* Forgets the places in r, of one block or of several that have become one, and those that are not
 * beyond a hole any more. */
static void forget(struct sack *s, const struct ranges *beyond, const struct range *r)
{
    unsigned n = 0, unreported = 0;
    for (unsigned i = 0; i < s->n_recent; i++) {
        const struct range *of = ranges_find(beyond, s->recent[i]);
        if (!of || of == r)
            continue;
        unreported |= (s->unreported >> i & 1u) << n;
        s->recent[n++] = s->recent[i];
    }
    s->n_recent = (uint8_t)n;
    s->unreported = (uint16_t)unreported;
}

void sack_arrived(struct sack *s, const struct ranges *beyond, uint64_t at)
{
    forget(s, beyond, ranges_find(beyond, at));
    if (s->n_recent < SACK_RECENT_MAX)
        s->n_recent++;
    memmove(s->recent + 1, s->recent, (s->n_recent - 1u) * sizeof s->recent[0]);
    s->recent[0] = at;
    s->unreported = (uint16_t)(s->unreported << 1 | 1);
}

void sack_twice(struct sack *s, uint64_t from, uint64_t end)
{
    if (s->twice < s->twice_end)
        return;
    s->twice = from;
    s->twice_end = end;
}

void sack_look(struct sack *s, const struct ranges *beyond, uint64_t at, uint64_t end)
{
    const struct range *r = ranges_find(beyond, at);
    if (r) {
        sack_twice(s, at, min_u64(r->end, end));
        return;
    }
    r = ranges_find(beyond, end - 1);
    if (r)
        sack_twice(s, max_u64(r->start, at), end);
}

struct report {
    struct tcp_opts *opts;
    unsigned max, first; /* from `first` on no block twice */
    uint64_t head;
    seq_t rcv_nxt;
};

static void report(struct report *to, const struct range *r)
{
    struct tcp_opts *o = to->opts;
    struct sack_block b = {
        .left = seq_add(to->rcv_nxt, (uint32_t)(r->start - to->head)),
        .right = seq_add(to->rcv_nxt, (uint32_t)(r->end - to->head)),
    };
    for (unsigned i = to->first; i < o->n_sack; i++) {
        if (seq_eq(o->sack[i].left, b.left))
            return;
    }
    if (o->n_sack < to->max)
        o->sack[o->n_sack++] = b;
}

/* Those that are not reported yet, the latest first; when there is no room for all, the earliest of
 * them. */
static void report_news(struct sack *s, const struct ranges *beyond, struct report *to)
{
    unsigned n = (unsigned)__builtin_popcount(s->unreported), room = to->max - to->opts->n_sack;
    unsigned later = n > room ? n - room : 0;
    for (unsigned i = 0; i < s->n_recent; i++) {
        if (!(s->unreported >> i & 1))
            continue;
        if (later > 0) {
            later--;
            continue;
        }
        report(to, ranges_find(beyond, s->recent[i]));
        s->unreported &= (uint16_t) ~(1u << i);
    }
}

/* The block r has been reported, beside what has come twice. */
static void reported(struct sack *s, const struct range *r)
{
    for (unsigned i = 0; i < s->n_recent; i++) {
        if (r->start <= s->recent[i] && s->recent[i] < r->end)
            s->unreported &= (uint16_t) ~(1u << i);
    }
}

void sack_report(struct sack *s, const struct ranges *beyond, uint64_t head, seq_t rcv_nxt,
                 unsigned max, struct tcp_opts *opts)
{
    struct report to = {.opts = opts, .max = max, .head = head, .rcv_nxt = rcv_nxt};
    forget(s, beyond, NULL);
    if (s->twice < s->twice_end && max > 0) {
        const struct range twice = {s->twice, s->twice_end}, *r = ranges_find(beyond, s->twice);
        /* Not what has been thrown away since: by itself it would be a block like any other. */
        if (s->twice < head || r)
            report(&to, &twice);
        s->twice_end = s->twice;
        to.first = opts->n_sack;
        /* RFC 2883 4.2: beyond the hole, the block that it is part of comes second. */
        if (r && opts->n_sack < max) {
            report(&to, r);
            reported(s, r);
        }
    }
    report_news(s, beyond, &to);
    for (unsigned i = 0; i < s->n_recent; i++)
        report(&to, ranges_find(beyond, s->recent[i]));
    for (uint32_t i = beyond->n; i > 0 && opts->n_sack < max; i--)
        report(&to, &beyond->v[i - 1]);
}

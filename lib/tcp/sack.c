/* What an ACK says of text beyond a hole: RFC 2018 section 4, RFC 2883 section 4. See sack.h. For
 * the trunk: arrives_sync.c tells what came, output.c asks. */
#include "sack.h"

#include <string.h>

#include "minmax.h"

void sack_arrived(struct sack *s, const struct ranges *beyond, uint64_t at)
{
    const struct range *r = ranges_find(beyond, at);
    unsigned i = 0;
    while (i < s->n_recent && !(r && r->start <= s->recent[i] && s->recent[i] < r->end))
        i++;
    if (i == SACK_RECENT_MAX)
        i--; /* the oldest goes */
    else if (i == s->n_recent)
        s->n_recent++;
    if (i >= s->unreported)
        s->unreported++;
    memmove(s->recent + 1, s->recent, i * sizeof s->recent[0]);
    s->recent[0] = at;
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

static void report(struct report *to, uint64_t from, uint64_t end)
{
    struct tcp_opts *o = to->opts;
    struct sack_block b = {
        .left = seq_add(to->rcv_nxt, (uint32_t)(from - to->head)),
        .right = seq_add(to->rcv_nxt, (uint32_t)(end - to->head)),
    };
    for (unsigned i = to->first; i < o->n_sack; i++) {
        if (seq_eq(o->sack[i].left, b.left))
            return;
    }
    if (o->n_sack < to->max)
        o->sack[o->n_sack++] = b;
}

void sack_report(struct sack *s, const struct ranges *beyond, uint64_t head, seq_t rcv_nxt,
                 unsigned max, struct tcp_opts *opts)
{
    struct report to = {.opts = opts, .max = max, .head = head, .rcv_nxt = rcv_nxt};
    if (s->twice < s->twice_end && max > 0) {
        const struct range *r = ranges_find(beyond, s->twice);
        /* Not what has been thrown away since: by itself it would be a block like any other. */
        if (s->twice < head || r)
            report(&to, s->twice, s->twice_end);
        s->twice_end = s->twice;
        to.first = opts->n_sack;
        /* RFC 2883 4.2: beyond the hole, the block that it is part of comes second. */
        if (r)
            report(&to, r->start, r->end);
    }
    unsigned room = max - opts->n_sack;
    s->unreported = s->unreported > room ? (uint8_t)(s->unreported - room) : 0;
    for (unsigned i = s->unreported; i < s->n_recent; i++) {
        const struct range *r = ranges_find(beyond, s->recent[i]);
        if (r)
            report(&to, r->start, r->end);
    }
    for (uint32_t i = beyond->n; i > 0 && opts->n_sack < max; i--)
        report(&to, beyond->v[i - 1].start, beyond->v[i - 1].end);
}

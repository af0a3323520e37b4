/* See check_sack.h. */
#include "check_sack.h"

#include <string.h>

#include "fail.h"
#include "nstime.h"

static void remove_at(struct sack_watch *w, uint32_t i)
{
    w->n_out--;
    memmove(&w->out[i], &w->out[i + 1], (w->n_out - i) * sizeof w->out[0]);
}

/* Cuts what lies around `at` there. */
static void cut(struct sack_watch *w, uint64_t at)
{
    for (uint32_t i = 0; i < w->n_out; i++) {
        if (w->out[i].at >= at || at >= w->out[i].end)
            continue;
        if (w->n_out == SACK_SENDINGS) {
            w->overflow = true;
            return;
        }
        memmove(&w->out[i + 1], &w->out[i], (w->n_out - i) * sizeof w->out[0]);
        w->n_out++;
        w->out[i].end = w->out[i + 1].at = at;
        return;
    }
}

static void add(struct sack_watch *w, uint64_t at, uint64_t end)
{
    if (w->n_out == SACK_SENDINGS) {
        w->overflow = true;
        return;
    }
    w->out[w->n_out].at = at;
    w->out[w->n_out].end = end;
    w->out[w->n_out++].number = w->sendings;
}

/* Whether something later than the last sending of each octet has arrived; they are sent now. */
static bool overtaken(struct sack_watch *w, uint64_t at, uint64_t end)
{
    bool all = true;
    cut(w, at);
    cut(w, end);
    for (uint32_t i = 0; i < w->n_out; i++) {
        if (w->out[i].end <= at || end <= w->out[i].at)
            continue;
        all = all && w->out[i].number <= w->delivered;
        w->out[i].number = w->sendings;
    }
    return all;
}

bool sack_sent(struct sack_watch *w, const struct resend_seen *seen, uint64_t at, uint64_t end,
               bool timeout, uint64_t now_ns)
{
    bool lost = true;
    bool quiet = timeout || now_ns - w->quiet_ns >= 8 * NS_PER_MS;
    w->may_probe =
        !w->probed && w->n_out > 0 && quiet && end >= seen->sent && end - at <= seen->mss + 1u;
    w->sendings += w->sendings == 0 || w->sent_ns != now_ns;
    if (at < seen->sent)
        lost = overtaken(w, at, end < seen->sent ? end : seen->sent) || w->overflow;
    if (end > seen->sent)
        add(w, at > seen->sent ? at : seen->sent, end);
    w->top = end > w->top ? end : w->top;
    w->sent_ns = now_ns;
    if (end > seen->sent)
        w->quiet_ns = now_ns;
    return lost;
}

bool sack_was_probe(struct sack_watch *w)
{
    bool was = w->may_probe;
    w->probed |= was;
    w->may_probe = false;
    return was;
}

static void delivered(struct sack_watch *w, uint64_t left, uint64_t right)
{
    for (uint32_t i = 0; i < w->n_out; i++) {
        if (w->out[i].at < right && left < w->out[i].end && w->delivered < w->out[i].number)
            w->delivered = w->out[i].number;
    }
}

void sack_acked(struct sack_watch *w, uint64_t ack, const struct sack_span *blocks, unsigned n,
                bool surely, uint64_t now_ns)
{
    if (w->n_out > 0 && w->out[0].at < ack) {
        w->probed = false;
        if (surely) /* otherwise the probe's time may go on (seed 1373704) */
            w->quiet_ns = now_ns;
    }
    delivered(w, 0, ack);
    for (unsigned i = 0; i < n; i++)
        delivered(w, blocks[i].left, blocks[i].right);
    cut(w, ack);
    while (w->n_out > 0 && w->out[0].end <= ack)
        remove_at(w, 0);
    w->overflow = w->overflow && ack < w->top;
}

static bool has_arrived(const struct ack_watch *a, uint64_t left, uint64_t right)
{
    if (right <= a->contig)
        return true;
    for (uint32_t i = 0; i < a->n_beyond; i++) {
        if (a->beyond[i].start <= left && right <= a->beyond[i].end)
            return true;
    }
    return left < a->contig && a->n_beyond > 0 && has_arrived(a, a->contig, right);
}

/* RFC 2883 4: the first block is what has come twice. */
static bool tells_twice(const struct sack_ack_sent *s)
{
    const struct sack_span *b = s->blocks;
    return s->n > 0 &&
           (b->right <= s->ack || (s->n > 1 && b[1].left <= b[0].left && b[0].right <= b[1].right));
}

static void came_twice(struct sack_heard *h, uint64_t at, uint64_t end)
{
    if (at >= end)
        return;
    if (h->n_twice == SACK_TWICE)
        h->twice_more = true;
    else
        h->twice[h->n_twice++] = (struct sack_span){at, end};
}

void sack_outdated(struct sack_heard *h, const struct ack_watch *a, uint64_t at, uint64_t end)
{
    came_twice(h, at, end < a->contig ? end : a->contig);
    for (uint32_t i = 0; i < a->n_beyond; i++) {
        uint64_t start = a->beyond[i].start, stop = a->beyond[i].end;
        came_twice(h, at > start ? at : start, end < stop ? end : stop);
    }
}

/* Whether the block tells of what no ACK has told of since it came. */
static bool tells_news(struct sack_heard *h, const struct sack_span *b)
{
    uint32_t before = h->n_untold, n = 0;
    for (uint32_t i = 0; i < before; i++) {
        if (h->untold[i] < b->left || b->right <= h->untold[i])
            h->untold[n++] = h->untold[i];
    }
    h->n_untold = n;
    return n < before;
}

static bool knows(const struct sack_heard *h, const struct ack_watch *a)
{
    return !h->unsure && !a->refuses && !a->doubtful && !a->overflow;
}

/* What has come before this moment, and lies beyond the hole still, has been told, if there was an
 * ACK at all (see check_ack.h). */
static void check_untold(const struct sack_heard *h, const struct ack_watch *a)
{
    for (uint32_t i = 0; i < h->n_untold && !h->untold_more && knows(h, a); i++) {
        uint64_t at = h->untold[i];
        SIM_CHECK(at < a->contig || !has_arrived(a, at, at + 1), "sack untold",
                  "text has come at %llu, and no ACK has told of it", (unsigned long long)at);
    }
}

static void came_beyond(struct sack_heard *h, const struct ack_watch *a, uint64_t at,
                        uint64_t now_ns)
{
    if (h->latest_ns != now_ns) {
        if (h->answered)
            check_untold(h, a);
        h->answered = false;
        h->untold_more = false;
        h->n_untold = 0;
    }
    h->latest = at;
    h->latest_ns = now_ns;
    h->untold_more |= h->n_untold == SACK_UNTOLD;
    if (!h->untold_more)
        h->untold[h->n_untold++] = at;
}

void sack_heard(struct sack_heard *h, const struct ack_watch *a, uint64_t at, uint64_t end,
                uint64_t edge, bool sure, uint64_t now_ns)
{
    if (at == end)
        return;
    h->unsure |= !sure || end > edge;
    sack_outdated(h, a, at, end);
    /* A part in the middle of new text need not be told. Where no text lies beyond a hole the end
     * may rest, and know nothing of what came before. One octet may be the FIN. */
    bool text_beyond = a->n_beyond > 0 && a->beyond[0].end - a->beyond[0].start > 1;
    h->twice_due |= text_beyond && has_arrived(a, at, end);
    if (at > a->contig)
        came_beyond(h, a, at, now_ns);
}

static void check_twice(const struct sack_heard *h, const struct ack_watch *a,
                        const struct sack_ack_sent *s)
{
    bool good = h->twice_more || a->overflow;
    const struct sack_span *b = &s->blocks[0];
    for (uint32_t i = 0; i < h->n_twice; i++) {
        const struct sack_span *t = &h->twice[i];
        good |= t->left <= b->left && b->right <= t->right;
    }
    SIM_CHECK(good, "d-sack", "block 0, %llu to %llu, has not come twice since the last ACK",
              (unsigned long long)b->left, (unsigned long long)b->right);
}

/* The FIN is no text: it is told with what lies before it, and not alone. */
static uint64_t text_end(const struct sack_ack_sent *s, uint64_t end)
{
    return end < s->fin ? end : s->fin;
}

/* RFC 2018 4: all blocks that have room, whole, and first that of the text that came last, or of
 * such as came with it. `from`: the first that does not tell what has come twice. */
static void check_blocks(struct sack_heard *h, const struct ack_watch *a,
                         const struct sack_ack_sent *s, unsigned from)
{
    unsigned there = 0, whole = 0;
    /* Behind what has come twice goes what that is part of (RFC 2883 4.2). */
    unsigned head = from + (from > 0 && s->blocks[0].left >= s->ack);
    bool recent = false, first = s->n <= head, news = false, latest = false;
    /* It may have been told with what has come twice. */
    bool told = h->n_untold == 0 || h->untold[h->n_untold - 1] != h->latest;
    for (unsigned j = from; j < s->n; j++)
        news |= tells_news(h, &s->blocks[j]) && j <= head;
    first |= news && (told || h->n_untold > 0);
    for (uint32_t i = 0; i < a->n_beyond; i++) {
        uint64_t left = a->beyond[i].start, right = text_end(s, a->beyond[i].end);
        bool last = left <= h->latest && h->latest < right;
        there += left < right;
        recent |= last;
        for (unsigned j = from; j < s->n; j++) {
            const struct sack_span *b = &s->blocks[j];
            if (b->left != left || text_end(s, b->right) != right)
                continue;
            whole++;
            latest |= last && j <= head;
        }
    }
    unsigned room = s->most > from ? s->most - from : 0;
    SIM_CHECK(s->n - from >= (there < room ? there : room), "sack blocks",
              "%u blocks; %u have arrived, and there is room for %u", s->n - from, there, room);
    SIM_CHECK(whole == s->n - from, "sack blocks", "%u of %u blocks are not whole",
              s->n - from - whole, s->n - from);
    SIM_CHECK(!recent || latest || first || h->untold_more, "sack order",
              "text came at %llu last, which is not told first", (unsigned long long)h->latest);
}

static void check_each(const struct ack_watch *a, const struct sack_ack_sent *s, unsigned from)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct sack_span *b = &s->blocks[i];
        SIM_CHECK(b->left < b->right, "sack", "block %u is empty", i);
        SIM_CHECK(i < from || b->left > s->ack, "sack",
                  "block %u begins at %llu, acknowledged are %llu", i, (unsigned long long)b->left,
                  (unsigned long long)s->ack);
        SIM_CHECK(a->overflow || has_arrived(a, b->left, b->right), "sack",
                  "block %u, %llu to %llu, has not arrived", i, (unsigned long long)b->left,
                  (unsigned long long)b->right);
        for (unsigned j = from; j < i; j++) {
            SIM_CHECK(s->blocks[j].right < b->left || b->right < s->blocks[j].left, "sack",
                      "blocks %u and %u are one", j, i);
        }
    }
}

void sack_told(struct sack_heard *h, const struct ack_watch *a, const struct sack_ack_sent *s)
{
    unsigned twice = tells_twice(s);
    check_each(a, s, twice);
    if (twice)
        check_twice(h, a, s);
    if (knows(h, a)) {
        SIM_CHECK(twice || !h->twice_due || s->most == 0, "d-sack",
                  "%llu to %llu has come twice, and nobody says so",
                  (unsigned long long)h->twice[0].left, (unsigned long long)h->twice[0].right);
        check_blocks(h, a, s, twice);
    }
    h->answered |= !s->text;
    if (twice || !s->text) {
        h->n_twice = 0;
        h->twice_more = h->twice_due = false;
    }
    if (s->ack == a->contig && a->n_beyond == 0) {
        if (h->unsure) /* what seemed to come twice may have been thrown away before */
            h->twice_due = false;
        h->unsure = false;
    }
}

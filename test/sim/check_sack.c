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
                uint64_t now_ns)
{
    if (w->n_out > 0 && w->out[0].at < ack) {
        w->probed = false;
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
static bool tells_twice(uint64_t ack, const struct sack_span *b, unsigned n)
{
    return b->right <= ack || (n > 1 && b[1].left <= b[0].left && b[0].right <= b[1].right);
}

void sack_told(const struct ack_watch *a, uint64_t ack, const struct sack_span *blocks, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct sack_span *b = &blocks[i];
        bool twice = i == 0 && tells_twice(ack, blocks, n);
        SIM_CHECK(b->left < b->right, "sack", "block %u is empty", i);
        SIM_CHECK(twice || b->left > ack, "sack", "block %u begins at %llu, acknowledged are %llu",
                  i, (unsigned long long)b->left, (unsigned long long)ack);
        SIM_CHECK(a->overflow || has_arrived(a, b->left, b->right), "sack",
                  "block %u, %llu to %llu, has not arrived", i, (unsigned long long)b->left,
                  (unsigned long long)b->right);
        for (unsigned j = 0; j < i; j++) {
            SIM_CHECK((j == 0 && tells_twice(ack, blocks, n)) || blocks[j].right < b->left ||
                          b->right < blocks[j].left,
                      "sack", "blocks %u and %u are one", j, i);
        }
    }
}

/* See check_ack.h. */
#include "check_ack.h"

#include <string.h>

#include "fail.h"
#include "nstime.h"

#define ACK_DELAY_MAX_NS (500 * NS_PER_MS) /* MUST-40 */

static void remove_range(struct ack_watch *a, uint32_t i)
{
    a->n_beyond--;
    memmove(&a->beyond[i], &a->beyond[i + 1], (a->n_beyond - i) * sizeof a->beyond[0]);
}

/* Merges [at, end) into what lies beyond contig. */
static void insert(struct ack_watch *a, uint64_t at, uint64_t end)
{
    uint32_t i = 0;
    while (i < a->n_beyond && a->beyond[i].end < at)
        i++;
    while (i < a->n_beyond && a->beyond[i].start <= end) {
        at = at < a->beyond[i].start ? at : a->beyond[i].start;
        end = end > a->beyond[i].end ? end : a->beyond[i].end;
        remove_range(a, i);
    }
    if (a->n_beyond == ACK_RANGES) {
        a->overflow = true;
        return;
    }
    memmove(&a->beyond[i + 1], &a->beyond[i], (a->n_beyond - i) * sizeof a->beyond[0]);
    a->beyond[i].start = at;
    a->beyond[i].end = end;
    a->n_beyond++;
}

static void owe(struct ack_watch *a, uint64_t now_ns)
{
    if (!a->owed)
        a->owed_since_ns = now_ns;
    a->owed = true;
}

void ack_arrived(struct ack_watch *a, uint64_t at, uint64_t end, bool may_owe, uint64_t now_ns)
{
    if (at == end)
        return;
    bool had_hole = a->n_beyond > 0, out_of_order = at > a->contig;
    if (out_of_order) {
        insert(a, at, end);
    } else if (end > a->contig) {
        a->contig = end;
        while (a->n_beyond > 0 && a->beyond[0].start <= a->contig) {
            if (a->beyond[0].end > a->contig)
                a->contig = a->beyond[0].end;
            remove_range(a, 0);
        }
    }
    if (!may_owe && out_of_order)
        a->refuses = true; /* there was no room in the accept queue for who sent it, perhaps */
    if (!may_owe || a->overflow)
        return;
    owe(a, now_ns);
    if (out_of_order || (had_hole && !a->refuses && !a->doubtful))
        a->owed_now = true;
}

void ack_unacceptable(struct ack_watch *a, bool may_owe, uint64_t now_ns)
{
    if (!may_owe)
        return;
    owe(a, now_ns);
    a->owed_now = true;
}

void ack_sent(struct ack_watch *a, uint64_t ack, bool fin)
{
    SIM_CHECK(a->overflow || ack <= a->contig, "ack", "%llu acknowledged, arrived are %llu",
              (unsigned long long)ack, (unsigned long long)a->contig);
    SIM_CHECK(!a->left || a->overflow || ack <= a->left_at + fin, "ack after close",
              "up to %llu, when the user left it was %llu: nobody will read that",
              (unsigned long long)ack, (unsigned long long)a->left_at);
    a->owed = a->owed_now = false;
}

void ack_reset(struct ack_watch *a)
{
    a->owed = a->owed_now = false;
}

void ack_turn_over(struct ack_watch *a, uint64_t now_ns)
{
    SIM_CHECK(!a->owed_now, "late ack", "text out of order is not acknowledged at once");
    SIM_CHECK(!a->owed || now_ns - a->owed_since_ns <= ACK_DELAY_MAX_NS + a->slack_ns, "late ack",
              "text waits for its ACK for %llu ms",
              (unsigned long long)((now_ns - a->owed_since_ns) / NS_PER_MS));
}

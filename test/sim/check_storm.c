/* See check_storm.h. */
#include "check_storm.h"

#include "fail.h"
#include "nstime.h"

#define CREDIT_MAX 256 /* reasons of long ago are none */
#define SPAN_NS    (5 * NS_PER_S)
#define SPAN_MAX   42 /* the budgets' spans are not ours: two of each; and what options cause */

void storm_reason(struct storm_watch *s)
{
    if (s->credit < CREDIT_MAX)
        s->credit++;
}

void storm_ack(struct storm_watch *s, uint64_t now_ns)
{
    if (s->credit > 0) {
        s->credit--;
        return;
    }
    if (now_ns - s->span_ns >= SPAN_NS) {
        s->span_ns = now_ns;
        s->spent = 0;
    }
    SIM_CHECK(++s->spent <= SPAN_MAX, "ack storm", "%u pure ACKs for no reason in 5 s", s->spent);
}

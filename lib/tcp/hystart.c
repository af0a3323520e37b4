/* HyStart++: RFC 9406 4.2, with the constants of 4.3. See hystart.h. */
#include "hystart.h"

#include "minmax.h"
#include "nstime.h"

#define MIN_RTT_THRESH_US 4000
#define MAX_RTT_THRESH_US 16000
#define MIN_RTT_DIVISOR   8
#define N_RTT_SAMPLE      8
#define CSS_ROUNDS        5

static void take_sample(struct hystart *h, uint64_t rtt_ns)
{
    uint32_t us = max_u32(time_us(rtt_ns), 1);
    h->current_us = h->current_us > 0 ? min_u32(h->current_us, us) : us;
    if (h->samples < N_RTT_SAMPLE)
        h->samples++;
}

/* Whether the round trips of this round have become longer than those of the last. */
static bool delay_increased(const struct hystart *h)
{
    uint32_t thresh =
        max_u32(MIN_RTT_THRESH_US, min_u32(h->last_us / MIN_RTT_DIVISOR, MAX_RTT_THRESH_US));
    return h->last_us > 0 && h->current_us >= (uint64_t)h->last_us + thresh;
}

static void judge(struct hystart *h)
{
    if (hystart_css(h)) {
        if (h->current_us < h->css_us)
            h->css_us = 0; /* the exit from slow start was spurious */
    } else if (delay_increased(h)) {
        h->css_us = h->current_us;
        h->css_rounds = 0;
    }
}

/* True when it was CSS's last. One in the middle of which CSS has begun counts as well. */
static bool round_over(struct hystart *h, seq_t nxt)
{
    h->window_end = nxt;
    h->last_us = h->current_us;
    h->current_us = 0;
    h->samples = 0;
    return hystart_css(h) && ++h->css_rounds == CSS_ROUNDS;
}

bool hystart_acked(struct hystart *h, seq_t una, seq_t nxt, uint64_t rtt_ns)
{
    if (!h->begun)
        h->window_end = nxt;
    h->begun = true;
    /* windowEnd itself is acknowledged: an octet that was sent in the next round. So the sample is
     * one of that. At an ACK of all before it, a round would begin with what the last ACKs of the
     * one before have sent, which waits in the queue the longest. */
    if (seq_lt(h->window_end, una) && round_over(h, nxt))
        return true;
    if (rtt_ns > 0)
        take_sample(h, rtt_ns);
    if (h->samples == N_RTT_SAMPLE)
        judge(h);
    return false;
}

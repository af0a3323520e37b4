/*
 * Keep-alive: RFC 9293 3.8.4 (MUST-24 to MUST-29). For the connection's output and timeouts. Does
 * not decide whether the connection is idle, nor what a probe looks like.
 */
#include "keepalive.h"

#include "nstime.h"

#define ASKED_MAX_US ((UINT64_C(1) << 56) - 1) /* more than two thousand years */

struct keepalive_settings keepalive_default(void)
{
    return (struct keepalive_settings){
        .idle_ms = 2 * 60 * 60 * 1000, .interval_ms = 75 * 1000, .probes = 9};
}

void keepalive_heard(struct keepalive *k, uint64_t now_ns)
{
    k->heard_ns = now_ns;
    k->unanswered = 0;
}

uint64_t keepalive_deadline(const struct keepalive *k, const struct keepalive_settings *s)
{
    if (!s->on)
        return TIME_NEVER;
    return k->unanswered == 0 ? k->heard_ns + s->idle_ms * NS_PER_MS
                              : k->asked_us * NS_PER_US + s->interval_ms * NS_PER_MS;
}

bool keepalive_dead(const struct keepalive *k, const struct keepalive_settings *s,
                    uint64_t user_timeout_ns, uint64_t now_ns)
{
    if (keepalive_deadline(k, s) > now_ns || k->unanswered == 0)
        return false;
    /* With a user timeout below `idle` Linux gives up after a single probe. MUST-29 says not to;
     * we wait for a second. */
    if (user_timeout_ns > 0)
        return k->unanswered > 1 && now_ns - k->heard_ns >= user_timeout_ns;
    return k->unanswered >= s->probes;
}

bool keepalive_probe_due(const struct keepalive *k, const struct keepalive_settings *s,
                         uint64_t user_timeout_ns, uint64_t now_ns)
{
    return keepalive_deadline(k, s) <= now_ns && !keepalive_dead(k, s, user_timeout_ns, now_ns);
}

void keepalive_probed(struct keepalive *k, uint64_t now_ns)
{
    k->asked_us = (now_ns + NS_PER_US - 1) / NS_PER_US & ASKED_MAX_US;
    if (k->unanswered < UINT8_MAX)
        k->unanswered++;
}

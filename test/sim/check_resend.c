/* See check_resend.h. */
#include "check_resend.h"

#include "fail.h"
#include "nstime.h"

static bool pending(const struct resend_watch *r)
{
    return r->next < r->end;
}

/* Everything outstanding may go again. */
static void permit_all(struct resend_watch *r, const struct resend_seen *seen)
{
    r->next = seen->sure;
    r->end = seen->sent;
}

/* The first segment outstanding may. */
static void permit_first(struct resend_watch *r, const struct resend_seen *seen)
{
    uint64_t end = seen->acked + seen->mss;
    if (!pending(r) || r->end < end)
        r->end = end;
    r->next = seen->sure;
}

void resend_first(struct resend_watch *r, bool idle, uint64_t now_ns)
{
    if (idle)
        r->armed_ns = now_ns;
}

bool resend_after(const struct resend_watch *r, uint64_t ns)
{
    return ns + NS_PER_US > r->rto_min_ns; /* RTO is of whole us */
}

bool resend_timeout(const struct resend_watch *r, uint64_t now_ns)
{
    return resend_after(r, now_ns - r->armed_ns);
}

bool resend_permits(const struct resend_watch *r, uint64_t at, uint64_t end, uint64_t now_ns)
{
    return resend_timeout(r, now_ns) || (at >= r->next && end <= r->end);
}

void resend_again(struct resend_watch *r, const struct resend_seen *seen, uint64_t at, uint64_t end,
                  uint64_t now_ns)
{
    bool timeout = resend_timeout(r, now_ns);
    if (at < r->next || end > r->end) {
        SIM_CHECK(timeout, "again",
                  "%llu to %llu go again for no reason; the timer was started %llu us ago",
                  (unsigned long long)at, (unsigned long long)end,
                  (unsigned long long)((now_ns - r->armed_ns) / NS_PER_US));
        permit_all(r, seen);
        r->armed_ns = now_ns;
        r->recover = 0;
    } else if (timeout) {
        r->end = seen->sent; /* it may be for that reason, too; then the rest follows */
    }
    r->next = end;
}

void resend_perhaps(struct resend_watch *r, const struct resend_seen *seen, uint64_t end,
                    uint64_t now_ns)
{
    if (!resend_timeout(r, now_ns))
        return;
    r->next = end;
    r->end = seen->sent;
}

void resend_partial(struct resend_watch *r, const struct resend_seen *seen)
{
    if (seen->sure < r->recover)
        permit_first(r, seen);
    else
        r->recover = 0;
}

void resend_acked(struct resend_watch *r, const struct resend_seen *seen, bool surely,
                  uint64_t now_ns)
{
    resend_partial(r, seen);
    r->dup_maybe = 0;
    if (!surely)
        return;
    r->dup_sure = 0;
    /* In fast recovery the first partial ACK alone starts the timer anew (RFC 6582 3.2). */
    if (r->recover == 0)
        r->armed_ns = now_ns;
}

void resend_duplicate(struct resend_watch *r, const struct resend_seen *seen)
{
    r->dup_sure++;
    r->dup_maybe++;
    /* One that tells another window, or comes while it is shut, does not count (RFC 5681 2), so the
     * engine's third may be a later one of ours. */
    if (r->dup_sure % 3 == 0 || r->dup_maybe % 3 == 0)
        permit_first(r, seen);
    if (r->dup_sure >= 3)
        r->recover = seen->sent;
}

void resend_window(struct resend_watch *r, const struct resend_seen *seen, uint64_t wnd,
                   bool surely)
{
    if (wnd == 0) {
        r->was_shut = true;
    } else if (r->was_shut) {
        r->was_shut = !surely;
        permit_all(r, seen);
    }
}

void resend_too_big(struct resend_watch *r, const struct resend_seen *seen)
{
    permit_all(r, seen);
}

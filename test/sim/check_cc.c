/* See check_cc.h. */
#include "check_cc.h"

#include "fail.h"

void cc_sent(struct cc_watch *w, uint64_t outstanding)
{
    if (outstanding > w->most)
        w->most = outstanding;
}

void cc_again(struct cc_watch *w, const struct resend_seen *seen, uint64_t at, bool timer,
              uint32_t ssthresh)
{
    /* Each timeout makes recovery last until all is acknowledged that was sent until then. */
    if (timer)
        w->round = seen->sent;
    /* Where the engine has thrown an ACK away it is not known what is the flight's end. */
    bool excused = at < w->excused || seen->sure < w->narrowed || at < seen->acked;
    if (excused || ssthresh == 0)
        return;
    uint64_t most = w->most > w->most_before ? w->most : w->most_before;
    if (w->echoed && w->most_earlier > most)
        most = w->most_earlier;
    uint64_t least = 2 * (uint64_t)seen->mss;
    SIM_CHECK(ssthresh <= least || ssthresh <= 7 * most / 10, "congestion",
              "text at %llu is lost, ssthresh is %u; %llu octets were outstanding",
              (unsigned long long)at, ssthresh, (unsigned long long)most);
}

void cc_acked(struct cc_watch *w, const struct resend_seen *seen)
{
    if (seen->sure < w->round)
        return;
    w->most_earlier = w->most_before;
    w->most_before = w->most;
    w->most = seen->sent - seen->sure;
    w->round = seen->sent;
}

void cc_window(struct cc_watch *w, const struct resend_seen *seen, uint64_t wnd, bool surely)
{
    if (wnd == 0)
        w->excused = UINT64_MAX;
    else if (w->excused == UINT64_MAX && surely)
        w->excused = seen->sent;
}

void cc_echoed(struct cc_watch *w)
{
    w->echoed = true;
}

void cc_too_big(struct cc_watch *w, const struct resend_seen *seen)
{
    w->narrowed = seen->sent;
}

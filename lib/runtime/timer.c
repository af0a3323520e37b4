/*
 * The receive thread's timer: a timerfd (timerfd_create(2)). Unlike an eventfd it can be set by the
 * thread that has just sent something without waking the receive thread, which would otherwise only
 * learn that it has to sleep less long.
 *
 * It is only ever moved to earlier: a deadline that moves away, as with every acknowledgment, costs
 * no system call. So it may go off too early, once after a connection has fallen idle, and is then
 * set anew, or not at all.
 */
#include <sys/timerfd.h>
#include <unistd.h>

#include "nstime.h"
#include "runtime_priv.h"

int timer_create_fd(void)
{
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

void timer_arm(struct runtime *rt, uint64_t deadline_ns)
{
    if (deadline_ns >= rt->armed_ns)
        return;
    rt->armed_ns = deadline_ns;
    /* 0 would turn it off. */
    uint64_t at = deadline_ns ? deadline_ns : 1;
    const struct itimerspec when = {
        .it_value = {(time_t)(at / NS_PER_S), (long)(at % NS_PER_S)},
    };
    timerfd_settime(rt->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void timer_clear(struct runtime *rt)
{
    uint64_t times;
    /* Nothing to read: it was set anew after it had gone off, and is still to come. */
    if (read(rt->timer, &times, sizeof times) == sizeof times)
        rt->armed_ns = TIME_NEVER;
}

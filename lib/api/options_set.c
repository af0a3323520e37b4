/* setsockopt(2). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "nstime.h"
#include "options.h"

/* SO_RCVTIMEO and SO_SNDTIMEO; socket(7): EDOM for microseconds out of range. */
static int set_timeout(uint64_t *out_ns, const void *value, socklen_t len)
{
    struct timeval tv;
    if (len < sizeof tv)
        return -EINVAL;
    memcpy(&tv, value, sizeof tv);
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0 || (uint64_t)tv.tv_sec > UINT64_MAX / NS_PER_S / 4)
        *out_ns = 0; /* as Linux: no limit */
    else
        *out_ns = (uint64_t)tv.tv_sec * NS_PER_S + (uint64_t)tv.tv_usec * NS_PER_US;
    return 0;
}

static int set_linger(struct slot_options *o, const void *value, socklen_t len)
{
    struct linger linger;
    if (len < sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    o->linger = linger.l_onoff != 0;
    if (linger.l_onoff)
        o->linger_s = linger.l_linger < 0 ? INT_MAX : linger.l_linger;
    return 0;
}

static uint32_t buffer_size(int value)
{
    if (value < BUFFER_MIN)
        return BUFFER_MIN;
    return value > BUFFER_MAX ? BUFFER_MAX : (uint32_t)value;
}

static int set_seconds(uint32_t *out_ms, int value)
{
    if (value < 1 || value > KEEP_S_MAX)
        return -EINVAL;
    *out_ms = (uint32_t)value * 1000;
    return 0;
}

static int set_count(uint8_t *out, int value)
{
    if (value < 1 || value > KEEP_CNT_MAX)
        return -EINVAL;
    *out = (uint8_t)value;
    return 0;
}

static int set_int(struct slot *slot, int level, int name, int value)
{
    struct slot_options *o = &slot->options;
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_REUSEADDR):
        o->reuse = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_KEEPALIVE):
        o->keepalive.on = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_OOBINLINE):
        o->oobinline = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_SNDBUF):
        o->sndbuf = buffer_size(value);
        return 0;
    case OPTION(SOL_SOCKET, SO_RCVBUF):
        o->rcvbuf = buffer_size(value);
        return 0;
    case OPTION(IPPROTO_TCP, TCP_NODELAY):
        o->nodelay = value != 0;
        return 0;
    case OPTION(IPPROTO_TCP, TCP_KEEPIDLE):
        return set_seconds(&o->keepalive.idle_ms, value);
    case OPTION(IPPROTO_TCP, TCP_KEEPINTVL):
        return set_seconds(&o->keepalive.interval_ms, value);
    case OPTION(IPPROTO_TCP, TCP_KEEPCNT):
        return set_count(&o->keepalive.probes, value);
    case OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT):
        o->user_timeout_ms = value < 0 ? o->user_timeout_ms : (uint32_t)value;
        return value < 0 ? -EINVAL : 0;
    case OPTION(IPPROTO_IPV6, IPV6_FREEBIND):
        if (slot->domain != AF_INET6)
            return -ENOPROTOOPT;
        o->freebind = value != 0;
        return 0;
    case OPTION(IPPROTO_IP, IP_FREEBIND):
        o->freebind = value != 0;
        return 0;
    case OPTION(IPPROTO_IPV6, IPV6_V6ONLY):
        if (slot->domain != AF_INET6)
            return -ENOPROTOOPT;
        return value ? -EINVAL : 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_option(struct slot *slot, int level, int name, const void *value, socklen_t len)
{
    if (len > INT_MAX)
        return -EINVAL;
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_RCVTIMEO):
        return set_timeout(&slot->options.recv_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_SNDTIMEO):
        return set_timeout(&slot->options.send_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_LINGER):
        return set_linger(&slot->options, value, len);
    }
    int number;
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    return set_int(slot, level, name, number);
}

int nstcp_setsockopt(struct nstcp *stack, int sock, int level, int name, const void *value,
                     socklen_t len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    int err = set_option(c.slot, level, name, value, len);
    if (!err && c.slot->so) {
        uint64_t now = runtime_now();
        slot_apply(c.slot, now);
        runtime_pump(stack->rt, now); /* without Nagle there may be something to send */
        waitable_wake(&c.slot->changed, WAIT_ALL); /* there may be room now */
    }
    return (int)call_end(&c, err);
}

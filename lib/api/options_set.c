/* setsockopt(2). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "ip.h"
#include "nstime.h"
#include "options.h"

/* In ns: over at once, and less than a microsecond, so that 0 is read back. */
#define TIMEOUT_OVER 1

/* SO_RCVTIMEO and SO_SNDTIMEO; socket(7): EDOM for microseconds out of range. As Linux: below zero
 * nothing is waited for; zero and what is beyond counting are no limit. */
static int set_timeout(uint64_t *out_ns, const void *value, socklen_t len)
{
    struct timeval tv;
    if (len < sizeof tv)
        return -EINVAL;
    memcpy(&tv, value, sizeof tv);
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0)
        *out_ns = TIMEOUT_OVER;
    else if ((uint64_t)tv.tv_sec > UINT64_MAX / NS_PER_S / 4)
        *out_ns = 0;
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

/* TCP_LINGER2, which fails for no value, as Linux. */
static void set_linger2(uint32_t *out_ms, int value)
{
    if (value < 0)
        *out_ms = ORPHAN_NONE;
    else
        *out_ms = 1000 * (uint32_t)(value < LINGER2_S_MAX ? value : LINGER2_S_MAX);
}

/* TCP_MAXSEG; 0: as if it had not been set. */
static int set_mss(uint32_t *out, int value)
{
    if (value != 0 && (value < MSS_MIN || value > MSS_MAX))
        return -EINVAL;
    *out = (uint32_t)value;
    return 0;
}

static int set_count(uint16_t *out, int value, int most)
{
    if (value < 1 || value > most)
        return -EINVAL;
    *out = (uint16_t)value;
    return 0;
}

/* ECN's two bits of the field are TCP's own (RFC 3168 6.1): for a stream Linux leaves them as they
 * are, and so do we. */
#define ECN_MASK 3

/* IP_TTL, IPV6_UNICAST_HOPS. */
static int set_ttl(uint8_t *out, int value, int least)
{
    if (value != -1 && (value < least || value > UINT8_MAX))
        return -EINVAL;
    *out = value == -1 ? IP_TTL_DEFAULT : (uint8_t)value;
    return 0;
}

_Static_assert((int)PMTUDISC_WANT == IP_PMTUDISC_WANT && (int)PMTUDISC_PROBE == IP_PMTUDISC_PROBE,
               "the numbers are Linux's");

/* IP_MTU_DISCOVER, IPV6_MTU_DISCOVER. */
static int set_pmtudisc(uint8_t *out, int value)
{
    if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT)
        return -EINVAL;
    if (value < IP_PMTUDISC_WANT || value > IP_PMTUDISC_PROBE)
        return -EOPNOTSUPP;
    *out = (uint8_t)value;
    return 0;
}

static int set_ip(struct slot_options *o, int name, int value)
{
    switch (OPTION(IPPROTO_IP, name)) {
    case OPTION(IPPROTO_IP, IP_FREEBIND):
        o->freebind = value != 0;
        return 0;
    case OPTION(IPPROTO_IP, IP_MTU_DISCOVER):
        return set_pmtudisc(&o->tcp.ip4.pmtudisc, value);
    case OPTION(IPPROTO_IP, IP_TOS):
        o->tcp.ip4.tos = (uint8_t)(value & ~ECN_MASK);
        return 0;
    case OPTION(IPPROTO_IP, IP_RECVERR):
        o->tcp.ip4.report = value != 0;
        return 0;
    case OPTION(IPPROTO_IP, IP_TTL):
        return set_ttl(&o->tcp.ip4.ttl, value, 1);
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ip6(const struct slot *slot, struct slot_options *o, int name, int value)
{
    switch (OPTION(IPPROTO_IPV6, name)) {
    case OPTION(IPPROTO_IPV6, IPV6_FREEBIND):
        o->freebind = value != 0;
        return 0;
    case OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER):
        return set_pmtudisc(&o->tcp.ip6.pmtudisc, value);
    case OPTION(IPPROTO_IPV6, IPV6_RECVERR):
        o->tcp.ip6.report = value != 0;
        return 0;
    case OPTION(IPPROTO_IPV6, IPV6_TCLASS):
        if (value < -1 || value > UINT8_MAX)
            return -EINVAL;
        o->tcp.ip6.tos = value == -1 ? 0 : (uint8_t)(value & ~ECN_MASK);
        return 0;
    case OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS):
        return set_ttl(&o->tcp.ip6.ttl, value, 0);
    case OPTION(IPPROTO_IPV6, IPV6_V6ONLY):
        if (slot->state != SLOT_NEW || slot->bound)
            return -EINVAL;
        o->v6only = value != 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_int(struct slot_options *o, int level, int name, int value)
{
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_REUSEADDR):
        o->reuse = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_KEEPALIVE):
        o->tcp.keepalive.on = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_OOBINLINE):
        o->tcp.oobinline = value != 0;
        return 0;
    case OPTION(SOL_SOCKET, SO_SNDBUF):
        o->tcp.sndbuf = buffer_size(value);
        return 0;
    case OPTION(SOL_SOCKET, SO_RCVBUF):
        o->tcp.rcvbuf = buffer_size(value);
        return 0;
    case OPTION(SOL_SOCKET, SO_BUSY_POLL):
        o->busy_poll_us = value < 0 ? o->busy_poll_us : (uint32_t)value;
        return value < 0 ? -EINVAL : 0;
    case OPTION(SOL_SOCKET, SO_RCVLOWAT):
        o->rcvlowat = value < 0 ? INT_MAX : (uint32_t)value;
        return 0;
    case OPTION(IPPROTO_TCP, TCP_NODELAY):
        o->tcp.nodelay = value != 0;
        return 0;
    case OPTION(IPPROTO_TCP, TCP_CORK):
        o->tcp.cork = value != 0;
        return 0;
    case OPTION(IPPROTO_TCP, TCP_LINGER2):
        set_linger2(&o->tcp.orphan_ms, value);
        return 0;
    case OPTION(IPPROTO_TCP, TCP_QUICKACK):
        o->quickack = value != 0;
        return 0;
    case OPTION(IPPROTO_TCP, TCP_MAXSEG):
        return set_mss(&o->tcp.mss_max, value);
    case OPTION(IPPROTO_TCP, TCP_KEEPIDLE):
        return set_seconds(&o->tcp.keepalive.idle_ms, value);
    case OPTION(IPPROTO_TCP, TCP_KEEPINTVL):
        return set_seconds(&o->tcp.keepalive.interval_ms, value);
    case OPTION(IPPROTO_TCP, TCP_KEEPCNT):
        return set_count(&o->tcp.keepalive.probes, value, KEEP_CNT_MAX);
    case OPTION(IPPROTO_TCP, TCP_SYNCNT):
        return set_count(&o->tcp.syn_retries, value, SYN_CNT_MAX);
    case OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT):
        o->tcp.user_timeout_ms = value < 0 ? o->tcp.user_timeout_ms : (uint32_t)value;
        return value < 0 ? -EINVAL : 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* Whether sockets of the domain have options of that level at all. */
static bool has_level(int domain, int level)
{
    return level == SOL_SOCKET || level == IPPROTO_IP || level == IPPROTO_TCP ||
           (level == IPPROTO_IPV6 && domain == AF_INET6);
}

/* Of IPPROTO_IP's options a single octet will do, ip(7) says; Linux takes none at all for 0. */
static int set_number(const struct slot *slot, struct slot_options *o, int level, int name,
                      const void *value, socklen_t len)
{
    int number = 0;
    if (!has_level(slot->domain, level))
        return -ENOPROTOOPT;
    if (len >= sizeof number)
        memcpy(&number, value, sizeof number);
    else if (level == IPPROTO_IP && (len > 0 || name != IP_FREEBIND))
        number = len > 0 ? *(const uint8_t *)value : 0;
    else
        return -EINVAL;
    switch (level) {
    case IPPROTO_IP:
        return set_ip(o, name, number);
    case IPPROTO_IPV6:
        return set_ip6(slot, o, name, number);
    default:
        return set_int(o, level, name, number);
    }
}

/* TCP_CONGESTION: a name, with an octet of 0 behind it or not. */
static int set_congestion(struct slot_options *o, const char *name, socklen_t len)
{
    if (len < 1)
        return -EINVAL;
    const struct cc_ops *cc =
        cc_find(name, strnlen(name, len < CC_NAME_MAX ? len : CC_NAME_MAX - 1));
    if (!cc)
        return -ENOENT;
    o->tcp.cc = cc;
    return 0;
}

/* SO_MAX_PACING_RATE: of 32 bits, all set: no limit; or of as many as Linux's unsigned long has. */
static int set_pacing_rate(struct slot_options *o, const void *value, socklen_t len)
{
    uint32_t rate = 0;
    if (len < sizeof rate)
        return -EINVAL;
    if (len >= sizeof o->tcp.max_pacing_rate) {
        memcpy(&o->tcp.max_pacing_rate, value, sizeof o->tcp.max_pacing_rate);
        return 0;
    }
    memcpy(&rate, value, sizeof rate);
    o->tcp.max_pacing_rate = rate == UINT32_MAX ? PACING_UNLIMITED : rate;
    return 0;
}

static int set_ip_options(struct slot_options *o, const void *value, socklen_t len)
{
    struct ip_options given;
    if (!ip_options_read(&given, value, len))
        return -EINVAL;
    o->ip = given;
    return 0;
}

static int set_option(const struct slot *slot, struct slot_options *o, int level, int name,
                      const void *value, socklen_t len)
{
    if (len > INT_MAX)
        return -EINVAL;
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_RCVTIMEO):
        return set_timeout(&o->recv_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_SNDTIMEO):
        return set_timeout(&o->send_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_LINGER):
        return set_linger(o, value, len);
    case OPTION(SOL_SOCKET, SO_MAX_PACING_RATE):
        return set_pacing_rate(o, value, len);
    case OPTION(IPPROTO_TCP, TCP_CONGESTION):
        return set_congestion(o, value, len);
    case OPTION(IPPROTO_IP, IP_OPTIONS):
        return set_ip_options(o, value, len);
    }
    return set_number(slot, o, level, name, value, len);
}

/* The connection or listener has the option from now on. */
static int act_on(struct slot *slot, int level, int name, uint64_t now_ns)
{
    int64_t option = OPTION(level, name);
    int err = slot_apply(slot, now_ns);
    if (!err && option == OPTION(IPPROTO_IP, IP_OPTIONS))
        err = slot_apply_ip_options(slot, now_ns);
    if (!err && option == OPTION(IPPROTO_TCP, TCP_NODELAY) && slot->options->tcp.nodelay)
        stack_flush(slot->so, now_ns);
    return err;
}

/* Takes the options over, or leaves everything as it was. */
static int take_over(struct call *c, const struct slot_options *o, int level, int name)
{
    struct slot *slot = c->slot;
    const struct slot_options *before = shared_again(slot->options);
    uint64_t now = runtime_now();
    int err = slot_set_options(c->stack, slot, o);
    if (!err && slot->so)
        err = act_on(slot, level, name, now);
    if (err) {
        shared_put(&c->stack->options, slot->options);
        slot->options = before;
        return err;
    }
    shared_put(&c->stack->options, before);
    if (slot->so) {
        runtime_pump(c->stack->rt, now);         /* without Nagle there may be something to send */
        waitable_wake(&slot->changed, WAIT_ALL); /* there may be room now */
    }
    return 0;
}

int nstcp_setsockopt(struct nstcp *stack, int sock, int level, int name, const void *value,
                     socklen_t len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct slot_options o = *c.slot->options;
    int err = set_option(c.slot, &o, level, name, value, len);
    if (!err)
        err = take_over(&c, &o, level, name);
    return (int)call_end(&c, err);
}

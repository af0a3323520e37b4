/* getsockopt(2). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "minmax.h"
#include "nstime.h"
#include "options.h"
#include "tcp_info.h"

/* TCP_MAXSEG: of a connection the one in use, which may be less than what was set. */
static uint32_t send_mss(const struct slot *slot)
{
    struct tcp_status status;
    if (slot_tcp_state(slot) < STATE_SYN_SENT)
        return slot->options->tcp.mss_max ? slot->options->tcp.mss_max : MSS_UNKNOWN;
    stack_status(slot->so, &status);
    return status.snd_mss;
}

static int64_t get_ip6(const struct slot_options *o, int name)
{
    switch (OPTION(IPPROTO_IPV6, name)) {
    case OPTION(IPPROTO_IPV6, IPV6_FREEBIND):
        return o->freebind;
    case OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER):
        return o->tcp.ip6.pmtudisc;
    case OPTION(IPPROTO_IPV6, IPV6_RECVERR):
        return o->tcp.ip6.report;
    case OPTION(IPPROTO_IPV6, IPV6_TCLASS):
        return o->tcp.ip6.tos;
    case OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS):
        return o->tcp.ip6.ttl;
    case OPTION(IPPROTO_IPV6, IPV6_V6ONLY):
        return o->v6only;
    default:
        return INT64_MIN;
    }
}

/* TCP_LINGER2 */
static int64_t linger2(const struct slot_options *o)
{
    if (o->tcp.orphan_ms == ORPHAN_NONE)
        return -1;
    return o->tcp.orphan_ms > 0 ? o->tcp.orphan_ms / 1000 : LINGER2_S;
}

/* An option with one number; INT64_MIN: there is no such option. */
static int64_t get_int(const struct nstcp *stack, struct slot *slot, int level, int name)
{
    const struct slot_options *o = slot->options;
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_ERROR):
        return slot->so ? -err_to_errno(stack_take_error(slot->so)) : 0;
    case OPTION(SOL_SOCKET, SO_TYPE):
        return SOCK_STREAM;
    case OPTION(SOL_SOCKET, SO_PROTOCOL):
        return IPPROTO_TCP;
    case OPTION(SOL_SOCKET, SO_DOMAIN):
        return slot->domain;
    case OPTION(SOL_SOCKET, SO_ACCEPTCONN):
        return slot->state == SLOT_LISTENING;
    case OPTION(SOL_SOCKET, SO_REUSEADDR):
        return o->reuse;
    case OPTION(SOL_SOCKET, SO_KEEPALIVE):
        return o->tcp.keepalive.on;
    case OPTION(SOL_SOCKET, SO_OOBINLINE):
        return o->tcp.oobinline;
    case OPTION(SOL_SOCKET, SO_SNDBUF):
        return o->tcp.sndbuf ? o->tcp.sndbuf : stack->sndbuf_default;
    case OPTION(SOL_SOCKET, SO_RCVBUF):
        return o->tcp.rcvbuf ? o->tcp.rcvbuf : stack->rcvbuf_default;
    case OPTION(SOL_SOCKET, SO_BUSY_POLL):
        return o->busy_poll_us;
    case OPTION(SOL_SOCKET, SO_RCVLOWAT):
        return o->rcvlowat ? o->rcvlowat : 1;
    case OPTION(IPPROTO_TCP, TCP_NODELAY):
        return o->tcp.nodelay;
    case OPTION(IPPROTO_TCP, TCP_LINGER2):
        return linger2(o);
    case OPTION(IPPROTO_TCP, TCP_CORK):
        return o->tcp.cork;
    case OPTION(IPPROTO_TCP, TCP_MAXSEG):
        return send_mss(slot);
    case OPTION(IPPROTO_TCP, TCP_KEEPIDLE):
        return o->tcp.keepalive.idle_ms / 1000;
    case OPTION(IPPROTO_TCP, TCP_KEEPINTVL):
        return o->tcp.keepalive.interval_ms / 1000;
    case OPTION(IPPROTO_TCP, TCP_KEEPCNT):
        return o->tcp.keepalive.probes;
    case OPTION(IPPROTO_TCP, TCP_QUICKACK):
        return slot_connected(slot) ? stack_quickack(slot->so) : o->quickack > 0;
    case OPTION(IPPROTO_TCP, TCP_SYNCNT):
        return o->tcp.syn_retries ? o->tcp.syn_retries : SYN_CNT;
    case OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT):
        return o->tcp.user_timeout_ms;
    case OPTION(IPPROTO_IP, IP_FREEBIND):
        return o->freebind;
    case OPTION(IPPROTO_IP, IP_RECVERR):
        return o->tcp.ip4.report;
    case OPTION(IPPROTO_IP, IP_MTU_DISCOVER):
        return o->tcp.ip4.pmtudisc;
    case OPTION(IPPROTO_IP, IP_TOS):
        return o->tcp.ip4.tos;
    case OPTION(IPPROTO_IP, IP_TTL):
        return o->tcp.ip4.ttl;
    default:
        return slot->domain == AF_INET6 && level == IPPROTO_IPV6 ? get_ip6(o, name) : INT64_MIN;
    }
}

/* As much as there is room for. */
static int put(const void *from, socklen_t size, void *to, socklen_t *len)
{
    *len = *len < size ? *len : size;
    if (*len > 0)
        memcpy(to, from, *len);
    return 0;
}

static int put_timeout(uint64_t ns, void *value, socklen_t *len)
{
    const struct timeval tv = {(time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US)};
    return put(&tv, sizeof tv, value, len);
}

/* SO_MAX_PACING_RATE */
static int put_pacing_rate(const struct slot_options *o, void *value, socklen_t *len)
{
    uint64_t rate = o->tcp.max_pacing_rate;
    const uint32_t low = (uint32_t)min_u64(rate, UINT32_MAX);
    return *len < sizeof rate ? put(&low, sizeof low, value, len)
                              : put(&rate, sizeof rate, value, len);
}

static int put_info(const struct slot *slot, void *value, socklen_t *len)
{
    struct tcp_status status;
    if (slot->so)
        stack_status(slot->so, &status);
    *len = (socklen_t)tcp_info_put(slot->so ? &status : NULL, runtime_now(), value, *len);
    return 0;
}

static int put_congestion(const struct slot_options *o, void *value, socklen_t *len)
{
    char name[CC_NAME_MAX] = {0};
    memccpy(name, o->tcp.cc->name, '\0', sizeof name - 1);
    return put(name, sizeof name, value, len);
}

/* IP_MTU, IPV6_MTU: what one packet to the peer may have, IP header included. As in Linux also
 * when the connection is over. */
static int put_path_mtu(const struct slot *slot, void *value, socklen_t *len)
{
    struct tcp_status status;
    if (!slot->so || slot->state == SLOT_LISTENING)
        return -ENOTCONN;
    stack_status(slot->so, &status);
    const int mtu = (int)status.path_mtu;
    return put(&mtu, sizeof mtu, value, len);
}

/* A connection's own, by now perhaps the way back of a source route, or what was set for one. */
static int put_ip_options(const struct slot *slot, void *value, socklen_t *len)
{
    const struct ip_options *o = slot->so ? stack_options(slot->so) : NULL;
    if (!o)
        o = &slot->options->ip;
    return put(o->octets, o->len, value, len);
}

static int get_option(const struct nstcp *stack, struct slot *slot, int level, int name,
                      void *value, socklen_t *len)
{
    const struct slot_options *o = slot->options;
    if (*len > INT_MAX)
        return -EINVAL;
    switch (OPTION(level, name)) {
    case OPTION(SOL_SOCKET, SO_RCVTIMEO):
        return put_timeout(o->recv_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_SNDTIMEO):
        return put_timeout(o->send_timeout_ns, value, len);
    case OPTION(SOL_SOCKET, SO_LINGER): {
        const struct linger linger = {o->linger, o->linger_s};
        return put(&linger, sizeof linger, value, len);
    }
    case OPTION(SOL_SOCKET, SO_MAX_PACING_RATE):
        return put_pacing_rate(o, value, len);
    case OPTION(IPPROTO_TCP, TCP_INFO):
        return put_info(slot, value, len);
    case OPTION(IPPROTO_TCP, TCP_CONGESTION):
        return put_congestion(o, value, len);
    case OPTION(IPPROTO_IP, IP_OPTIONS):
        return put_ip_options(slot, value, len);
    case OPTION(IPPROTO_IP, IP_MTU):
        return put_path_mtu(slot, value, len);
    case OPTION(IPPROTO_IPV6, IPV6_MTU):
        if (slot->domain == AF_INET6)
            return put_path_mtu(slot, value, len);
    }
    int64_t answer = get_int(stack, slot, level, name);
    if (answer == INT64_MIN)
        return -ENOPROTOOPT;
    const int number = (int)answer;
    const uint8_t octet = (uint8_t)answer;
    if (level == IPPROTO_IP && *len > 0 && *len < sizeof number && octet == number)
        return put(&octet, sizeof octet, value, len);
    return put(&number, sizeof number, value, len);
}

int nstcp_getsockopt(struct nstcp *stack, int sock, int level, int name, void *value,
                     socklen_t *len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    return (int)call_end(&c, get_option(stack, c.slot, level, name, value, len));
}

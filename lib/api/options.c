/* Socket options, flags and names. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "api_priv.h"
#include "nstime.h"

#define SNDBUF_MIN 4096
#define SNDBUF_MAX (64 << 20)

/* SO_RCVTIMEO and SO_SNDTIMEO; socket(7): EDOM for microseconds out of range. */
static int read_timeout(const void *value, socklen_t len, uint64_t *out_ns)
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

static int set_linger(struct slot *slot, const void *value, socklen_t len)
{
    struct linger linger;
    if (len < sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    if (linger.l_onoff && linger.l_linger != 0)
        return -EINVAL; /* nstcp_close never waits: nstcp_destroy does */
    slot->reset_on_close = linger.l_onoff != 0;
    return 0;
}

/* One option with two names. As in Linux, an IPv6 socket has both. */
static bool is_freebind(const struct slot *slot, int level, int name)
{
    return (level == IPPROTO_IP && name == IP_FREEBIND) ||
           (level == IPPROTO_IPV6 && name == IPV6_FREEBIND && slot->domain == AF_INET6);
}

static int set_int(struct slot *slot, int level, int name, int value)
{
    if (level == SOL_SOCKET && name == SO_REUSEADDR)
        return 0;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY)
        return value ? -EINVAL : 0;
    if (is_freebind(slot, level, name)) {
        slot->freebind = value != 0;
        return 0;
    }
    if (level == IPPROTO_TCP && name == TCP_NODELAY) {
        slot->nodelay = value != 0;
        if (slot->so)
            stack_set_nodelay(slot->so, slot->nodelay, runtime_now());
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_SNDBUF) {
        uint32_t bytes = value < SNDBUF_MIN ? SNDBUF_MIN : (uint32_t)value;
        slot->sndbuf = bytes > SNDBUF_MAX ? SNDBUF_MAX : bytes;
        if (slot->so)
            stack_set_sndbuf(slot->so, slot->sndbuf);
        waitable_wake(&slot->changed, WAIT_ALL); /* there may be room now */
        return 0;
    }
    return -ENOPROTOOPT;
}

static int set_option(struct slot *slot, int level, int name, const void *value, socklen_t len)
{
    if (level == SOL_SOCKET && name == SO_RCVTIMEO)
        return read_timeout(value, len, &slot->recv_timeout_ns);
    if (level == SOL_SOCKET && name == SO_SNDTIMEO)
        return read_timeout(value, len, &slot->send_timeout_ns);
    if (level == SOL_SOCKET && name == SO_LINGER)
        return set_linger(slot, value, len);
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
    runtime_pump(stack->rt, runtime_now()); /* without Nagle there may be something to send */
    return (int)call_end(&c, err);
}

/* SO_ERROR: why the connection ended, once. */
static int take_error(struct slot *slot)
{
    if (!slot->so || slot->error_taken)
        return 0;
    int err = -err_to_errno(stack_error(slot->so));
    slot->error_taken = err != 0;
    return err;
}

static int get_int(const struct nstcp *stack, struct slot *slot, int level, int name, int *out)
{
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) {
        *out = 0;
        return slot->domain == AF_INET6 ? 0 : -ENOPROTOOPT;
    }
    if (is_freebind(slot, level, name)) {
        *out = slot->freebind;
        return 0;
    }
    if (level == IPPROTO_TCP && name == TCP_NODELAY) {
        *out = slot->nodelay;
        return 0;
    }
    if (level != SOL_SOCKET)
        return -ENOPROTOOPT;
    switch (name) {
    case SO_ERROR:
        *out = take_error(slot);
        return 0;
    case SO_SNDBUF:
        *out = (int)(slot->sndbuf ? slot->sndbuf : stack->sndbuf_default);
        return 0;
    case SO_REUSEADDR:
        *out = 1;
        return 0;
    case SO_TYPE:
        *out = SOCK_STREAM;
        return 0;
    case SO_PROTOCOL:
        *out = IPPROTO_TCP;
        return 0;
    case SO_DOMAIN:
        *out = slot->domain;
        return 0;
    case SO_ACCEPTCONN:
        *out = slot->state == SLOT_LISTENING;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static void put(const void *from, socklen_t size, void *to, socklen_t *len)
{
    *len = *len < size ? *len : size;
    memcpy(to, from, *len);
}

static int get_option(const struct nstcp *stack, struct slot *slot, int level, int name,
                      void *value, socklen_t *len)
{
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
        uint64_t ns = name == SO_RCVTIMEO ? slot->recv_timeout_ns : slot->send_timeout_ns;
        const struct timeval tv = {(time_t)(ns / NS_PER_S),
                                   (suseconds_t)(ns % NS_PER_S / NS_PER_US)};
        put(&tv, sizeof tv, value, len);
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_LINGER) {
        const struct linger linger = {slot->reset_on_close, 0};
        put(&linger, sizeof linger, value, len);
        return 0;
    }
    int number;
    int err = get_int(stack, slot, level, name, &number);
    if (!err)
        put(&number, sizeof number, value, len);
    return err;
}

int nstcp_getsockopt(struct nstcp *stack, int sock, int level, int name, void *value,
                     socklen_t *len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    return (int)call_end(&c, get_option(stack, c.slot, level, name, value, len));
}

int nstcp_fcntl(struct nstcp *stack, int sock, int command, int arg)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    int result = -EINVAL;
    if (command == F_GETFL) {
        result = O_RDWR | (c.slot->nonblock ? O_NONBLOCK : 0);
    } else if (command == F_SETFL) {
        c.slot->nonblock = (arg & O_NONBLOCK) != 0;
        result = 0;
    }
    return (int)call_end(&c, result);
}

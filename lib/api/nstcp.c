/* A stack's beginning and end over any link and machine: create_on, stop, destroy. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_priv.h"
#include "link_pcap.h"
#include "nstime.h"
#include "options.h"

#define MEMORY_DEFAULT   ((size_t)1 << 30)
#define SOCKETS_DEFAULT  65536
#define PACING_RATIO_MAX 1000       /* percent, as Linux */
#define SOCKETS_MAX      (1U << 30) /* their numbers are ints */

/* What is wrong with the values named as in Linux; NULL: nothing. */
static const char *wrong_sysctl(const struct nstcp_options *o)
{
    const struct {
        const char *what;
        int value, max;
    } t[] = {
        {"tcp_ecn: not -1 to 2", o->tcp_ecn, 2},
        {"tcp_syncookies: not -1 to 2", o->tcp_syncookies, 2},
        {"tcp_sack: not -1 to 1", o->tcp_sack, 1},
        {"tcp_dsack: not -1 to 1", o->tcp_dsack, 1},
        {"tcp_early_retrans: not -1 to 4", o->tcp_early_retrans, 4},
        {"tcp_timestamps: not -1 to 1", o->tcp_timestamps, 1},
        {"tcp_window_scaling: not -1 to 1", o->tcp_window_scaling, 1},
        {"tcp_slow_start_after_idle: not -1 to 1", o->tcp_slow_start_after_idle, 1},
        {"tcp_mtu_probing: not -1 to 1", o->tcp_mtu_probing, 1},
        {"tcp_pacing_ss_ratio: not -1 to 1000", o->tcp_pacing_ss_ratio, PACING_RATIO_MAX},
        {"tcp_pacing_ca_ratio: not -1 to 1000", o->tcp_pacing_ca_ratio, PACING_RATIO_MAX},
        {"tcp_moderate_rcvbuf: not -1 to 1", o->tcp_moderate_rcvbuf, 1},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (t[i].value < -1 || t[i].value > t[i].max)
            return t[i].what;
    }
    bool odd = o->tcp_recovery > 0 && o->tcp_recovery <= 7 && o->tcp_recovery % 2 == 1;
    return odd || o->tcp_recovery == 0 ? NULL : "tcp_recovery: not 1, 3, 5 or 7";
}

static void set_ratio(uint16_t *percent, int given)
{
    if (given)
        *percent = given < 0 ? 0 : (uint16_t)given;
}

static bool set_congestion(const struct cc_ops **cc, const char *name)
{
    if (name)
        *cc = cc_find(name, strlen(name));
    return *cc != NULL;
}

/* tcp_rmem, tcp_wmem; false: there are no such buffers. */
static bool set_buffer(uint32_t *size, uint32_t *size_max, const unsigned given[3])
{
    uint32_t least = given[0] ? given[0] : BUFFER_MIN;
    if (given[1])
        *size = given[1];
    if (given[2])
        *size_max = given[2];
    return BUFFER_MIN <= least && least <= *size && *size <= *size_max && *size_max <= BUFFER_MAX;
}

static struct tcp_config numbers(const struct nstcp_options *o)
{
    struct tcp_config tcp = tcp_config_default();
    if (o->msl_ms)
        tcp.msl_ns = o->msl_ms * NS_PER_MS;
    if (o->user_timeout_ms)
        tcp.user_timeout_ns = o->user_timeout_ms * NS_PER_MS;
    if (o->tcp_ecn)
        tcp.ecn = o->tcp_ecn < 0 ? TCP_ECN_OFF : (enum tcp_ecn)o->tcp_ecn;
    if (o->tcp_syncookies)
        tcp.syncookies =
            o->tcp_syncookies < 0 ? SYNCOOKIES_NEVER : (enum syncookies)o->tcp_syncookies;
    tcp.sack = o->tcp_sack >= 0;
    tcp.dsack = o->tcp_dsack >= 0;
    tcp.loss_probes = o->tcp_early_retrans == 0 || o->tcp_early_retrans >= 3;
    tcp.recovery = (uint8_t)o->tcp_recovery;
    tcp.timestamps = o->tcp_timestamps >= 0;
    tcp.window_scaling = o->tcp_window_scaling >= 0;
    tcp.idle_restart = o->tcp_slow_start_after_idle >= 0;
    tcp.mtu_probing = o->tcp_mtu_probing >= 0;
    tcp.moderate_rcvbuf = o->tcp_moderate_rcvbuf >= 0;
    set_ratio(&tcp.pacing_ss_ratio, o->tcp_pacing_ss_ratio);
    set_ratio(&tcp.pacing_ca_ratio, o->tcp_pacing_ca_ratio);
    return tcp;
}

/* What the options say of the connections; what is wrong with them, or NULL. */
static const char *tcp_config_of(const struct nstcp_options *o, struct tcp_config *tcp)
{
    const char *wrong = wrong_sysctl(o);
    if (wrong)
        return wrong;
    *tcp = numbers(o);
    if (!set_buffer(&tcp->rcvbuf, &tcp->rcvbuf_max, o->tcp_rmem))
        return "tcp_rmem: not 4096 to 64 MiB, in rising order";
    if (!set_buffer(&tcp->sndbuf, &tcp->sndbuf_max, o->tcp_wmem))
        return "tcp_wmem: not 4096 to 64 MiB, in rising order";
    if (!set_congestion(&tcp->cc, o->tcp_congestion_control))
        return "tcp_congestion_control: neither cubic nor reno";
    return NULL;
}

/* A failure of create: errno and the sentence. */
static int failed(char why[NSTCP_WHY_MAX], const char *what, int err)
{
    if (why)
        snprintf(why, NSTCP_WHY_MAX, "%s: %s", what, strerror(-err));
    errno = -err;
    return -1;
}

int nstcp_create_on(struct nstcp **out, const struct nstcp_options *options, struct link *link,
                    struct host *host, char why[NSTCP_WHY_MAX])
{
    const struct nstcp_options defaults = {0};
    const struct nstcp_options *o = options ? options : &defaults;
    struct tcp_config tcp;
    const char *wrong = tcp_config_of(o, &tcp);
    struct nstcp *stack = calloc(1, sizeof *stack);
    if (!stack || wrong) {
        free(stack);
        host->ops->destroy(host);
        link->ops->destroy(link);
        return wrong ? failed(why, wrong, -EINVAL) : failed(why, "memory", -ENOMEM);
    }
    struct runtime_config config = {
        .host = host,
        .tcp = tcp,
        .max_socks = o->max_sockets ? o->max_sockets : SOCKETS_DEFAULT,
        .mem_limit = o->memory_max ? o->memory_max : MEMORY_DEFAULT,
        .accept_source_route = o->accept_source_route != 0,
    };
    if (config.max_socks > SOCKETS_MAX)
        config.max_socks = SOCKETS_MAX;
    stack->max_slots = config.max_socks;
    slots_init(stack, &config.tcp);
    if (o->trace_fd > 0) {
        stack->trace.fd = o->trace_fd;
        config.trace = (struct trace){trace_text_sink, &stack->trace};
    }
    if (o->pcap_fd > 0) {
        int err = link_pcap_create(&link, link, o->pcap_fd, &config.trace);
        if (err) {
            host->ops->destroy(host);
            link->ops->destroy(link);
            free(stack);
            return failed(why, "write to pcap_fd", err);
        }
    }
    config.link = link;
    const char *what;
    int err = runtime_create(&stack->rt, &config, &what);
    if (err) {
        free(stack);
        return failed(why, what, err);
    }
    *out = stack;
    return 0;
}

void nstcp_stop(struct nstcp *stack)
{
    struct call c;
    if (call_enter(&c, stack))
        return;
    stack->stopped = true;
    runtime_wake_all(stack->rt);
    call_end(&c, 0);
}

/* Waits until no other thread is in a call. */
static void end_calls(struct nstcp *stack)
{
    struct waiter waiter;
    waiter_init(&waiter, WAITER_SPIN_NS);
    stack->stopped = true;
    runtime_wake_all(stack->rt);
    stack->ender = &waiter;
    while (atomic_load(&stack->calls) > 0)
        runtime_wait(stack->rt, &waiter, TIME_NEVER);
    stack->ender = NULL;
    waiter_finish(&waiter);
}

/* Listeners first, so that nobody comes in while the others close. */
static void close_all(struct nstcp *stack)
{
    for (uint32_t i = 1; i < stack->n_slots; i++) {
        if (stack->slots[i] && stack->slots[i]->state == SLOT_LISTENING)
            slot_close(stack, (int)i);
    }
    for (uint32_t i = 1; i < stack->n_slots; i++) {
        if (stack->slots[i])
            slot_close(stack, (int)i);
    }
    runtime_pump(stack->rt, runtime_now());
}

int nstcp_destroy(struct nstcp *stack, int timeout_ms)
{
    if (!stack)
        return 0;
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    if (runtime_forked(stack->rt)) {
        runtime_disown(stack->rt);
        pthread_setcancelstate(cancel_state, NULL);
        return 0;
    }
    runtime_lock(stack->rt);
    end_calls(stack);
    close_all(stack);
    uint64_t deadline =
        timeout_ms < 0 ? TIME_NEVER : runtime_now() + (uint64_t)timeout_ms * NS_PER_MS;
    bool in_order = runtime_drain(stack->rt, deadline);
    runtime_unlock(stack->rt);
    runtime_destroy(stack->rt);
    free(stack->slots);
    free(stack);
    pthread_setcancelstate(cancel_state, NULL);
    if (!in_order)
        errno = ETIMEDOUT;
    return in_order ? 0 : -1;
}

/* What can be chosen, unless somebody does. See config.h. */
#include "config.h"

#include "ip.h"
#include "nstime.h"

_Static_assert(sizeof(struct tcp_settings) == offsetof(struct tcp_settings, none) + 3,
               "settings have no padding: they are compared as they lie");

struct tcp_config tcp_config_default(void)
{
    return (struct tcp_config){
        .rto_initial_ns = NS_PER_S,
        .rto_min_ns = 200 * NS_PER_MS,
        .rto_max_ns = 120 * NS_PER_S,
        .ack_delay_ns = 40 * NS_PER_MS,
        .msl_ns = 30 * NS_PER_S,
        .user_timeout_ns = 300 * NS_PER_S,
        .syn_timeout_ns = 180 * NS_PER_S,
        .synack_timeout_ns = 180 * NS_PER_S,
        .orphan_ns = 60 * NS_PER_S,
        .r1 = 3,
        .sndbuf = 256 * 1024,
        .sndbuf_max = 4 * 1024 * 1024,
        .rcvbuf = 64 * 1024,
        .rcvbuf_max = 4 * 1024 * 1024,
        .cc = &cc_cubic,
        .keepalive = keepalive_default(),
        .ecn = TCP_ECN_ANSWER,
        .syncookies = SYNCOOKIES_FULL,
        .window_scaling = true,
        .sack = true,
        .dsack = true,
        .loss_probes = true,
        .timestamps = true,
        .moderate_rcvbuf = true,
        .mtu_probing = true,
        .pacing_ss_ratio = 200,
        .pacing_ca_ratio = 120,
        .idle_restart = true,
    };
}

struct tcp_settings tcp_settings_default(const struct tcp_config *config)
{
    const struct tcp_ip ip = {.ttl = IP_TTL_DEFAULT, .pmtudisc = PMTUDISC_WANT};
    return (struct tcp_settings){
        .keepalive = config->keepalive,
        .max_pacing_rate = PACING_UNLIMITED,
        .cc = config->cc,
        .nodelay = config->nodelay,
        .oobinline = true,
        .ip4 = ip,
        .ip6 = ip,
    };
}

void tcp_common_init(struct tcp_common *c, const struct tcp_config *config, struct mem *mem,
                     const struct trace *trace, uint32_t super_max)
{
    *c = (struct tcp_common){.config = config, .mem = mem, .trace = trace, .super_max = super_max};
    c->defaults.value = tcp_settings_default(config);
    shared_init(&c->settings, sizeof c->defaults.value, mem, &c->defaults.head);
}

/* TCP_INFO. See tcp_info.h. The struct is the one of <linux/tcp.h>, which goes on where that of
 * <netinet/tcp.h> ends; the two headers can't be had together. */
#include "tcp_info.h"

#include <linux/tcp.h>
#include <string.h>

#include "nstime.h"

/* include/net/tcp_states.h of Linux. */
static const uint8_t linux_state[] = {
    [STATE_ESTABLISHED] = 1, [STATE_SYN_SENT] = 2,   [STATE_SYN_RECEIVED] = 3,
    [STATE_FIN_WAIT_1] = 4,  [STATE_FIN_WAIT_2] = 5, [STATE_TIME_WAIT] = 7,
    [STATE_CLOSED] = 7,      [STATE_CLOSE_WAIT] = 8, [STATE_LAST_ACK] = 9,
    [STATE_LISTEN] = 10,     [STATE_CLOSING] = 11,
};

/* Octets as segments, rounded up. */
static uint32_t segments(uint32_t octets, uint32_t mss)
{
    return mss ? octets / mss + (octets % mss > 0) : 0;
}

/* Rounded down: what is less than a segment lets none go. */
static uint32_t whole_segments(uint32_t octets, uint32_t mss)
{
    return mss ? octets / mss : 0;
}

/* net/tcp.h of Linux: TCP_INFINITE_SSTHRESH */
#define INFINITE_SSTHRESH 0x7fffffff

static uint32_t us(uint64_t ns)
{
    return (uint32_t)(ns / NS_PER_US);
}

/* Milliseconds since then; 0 for never. */
static uint32_t ms_since(uint64_t then_ns, uint64_t now_ns)
{
    return then_ns && then_ns < now_ns ? (uint32_t)((now_ns - then_ns) / NS_PER_MS) : 0;
}

static void put_sender(struct tcp_info *info, const struct tcp_status *s)
{
    info->tcpi_retransmits = (uint8_t)s->retries;
    info->tcpi_probes = (uint8_t)s->probes;
    info->tcpi_backoff = (uint8_t)s->backoff;
    info->tcpi_rto = us(s->rto_ns);
    info->tcpi_rtt = us(s->srtt_ns);
    info->tcpi_rttvar = us(s->rttvar_ns);
    info->tcpi_snd_mss = s->snd_mss;
    info->tcpi_unacked = segments(s->flight, s->snd_mss);
    info->tcpi_sacked = segments(s->sacked, s->snd_mss);
    info->tcpi_lost = segments(s->lost, s->snd_mss);
    info->tcpi_snd_cwnd = whole_segments(s->cwnd, s->snd_mss);
    info->tcpi_snd_ssthresh = s->ssthresh == CC_SSTHRESH_INITIAL
                                  ? INFINITE_SSTHRESH
                                  : whole_segments(s->ssthresh, s->snd_mss);
    info->tcpi_snd_wnd = s->snd_wnd;
    info->tcpi_pacing_rate = s->pacing_rate;
    info->tcpi_max_pacing_rate = s->max_pacing_rate;
    info->tcpi_pmtu = s->path_mtu;
    info->tcpi_total_retrans = s->resent;
    info->tcpi_dsack_dups = s->dsack_dups;
    info->tcpi_notsent_bytes = (uint32_t)s->unsent;
    info->tcpi_bytes_acked = s->octets_acked;
    info->tcpi_bytes_sent = s->octets_sent;
    info->tcpi_bytes_retrans = s->octets_resent;
    info->tcpi_segs_out = s->segs_out;
}

static void put_receiver(struct tcp_info *info, const struct tcp_status *s)
{
    info->tcpi_ato = us(s->ack_delay_ns);
    info->tcpi_rcv_mss = s->rcv_largest;
    info->tcpi_advmss = s->rcv_mss;
    info->tcpi_rcv_space = s->rcvbuf;
    info->tcpi_bytes_received = s->octets_received;
    info->tcpi_segs_in = s->segs_in;
}

size_t tcp_info_put(const struct tcp_status *status, uint64_t now_ns, void *to, size_t room)
{
    struct tcp_info info = {.tcpi_state = linux_state[status ? status->state : STATE_CLOSED]};
    if (status && status->state != STATE_LISTEN) {
        put_sender(&info, status);
        put_receiver(&info, status);
        info.tcpi_last_data_sent = ms_since(status->text_sent_ns, now_ns);
        info.tcpi_last_ack_recv = ms_since(status->heard_ns, now_ns);
        info.tcpi_options =
            (uint8_t)((status->scaled ? TCPI_OPT_WSCALE : 0) | (status->sack ? TCPI_OPT_SACK : 0) |
                      (status->timestamps ? TCPI_OPT_TIMESTAMPS : 0) |
                      (status->ecn ? TCPI_OPT_ECN : 0) |
                      (status->ecn_seen ? TCPI_OPT_ECN_SEEN : 0));
        info.tcpi_snd_wscale = status->snd_shift & 15u;
        info.tcpi_rcv_wscale = status->rcv_shift & 15u;
    }
    size_t n = room < sizeof info ? room : sizeof info;
    memcpy(to, &info, n);
    return n;
}

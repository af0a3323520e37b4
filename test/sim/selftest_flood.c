/* Self test of the checker of what floods are answered with. See selftest.h. */
#include "flood.h"
#include "selftest.h"

/* What a host in this mode sends to nobody. */
struct answer {
    enum syncookies mode;
    uint8_t flags;
    uint32_t sock_id;
};

static void answers(void *arg)
{
    const struct answer *a = arg;
    const struct host_plan plan = {.tcp.syncookies = a->mode};
    static struct host h;
    h.plan = &plan;
    flood_answered(&h, &(struct seg){.flags = a->flags}, a->sock_id);
}

int selftest_flood(void)
{
    const uint8_t syn_ack = TCP_SYN | TCP_ACK;
    const struct {
        struct answer answer;
        const char *checker;
    } tests[] = {
        {{SYNCOOKIES_FULL, syn_ack, 0}, NULL},    {{SYNCOOKIES_FULL, syn_ack, 1}, NULL},
        {{SYNCOOKIES_FULL, TCP_RST, 0}, NULL},    {{SYNCOOKIES_FULL, TCP_RST | TCP_ACK, 1}, NULL},
        {{SYNCOOKIES_FULL, TCP_ACK, 0}, "flood"}, {{SYNCOOKIES_NEVER, syn_ack, 0}, "flood"},
        {{SYNCOOKIES_NEVER, syn_ack, 1}, NULL},   {{SYNCOOKIES_ALWAYS, syn_ack, 1}, "flood"},
        {{SYNCOOKIES_ALWAYS, syn_ack, 0}, NULL},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        struct answer a = tests[i].answer;
        failed += expect("flood", answers, &a, tests[i].checker);
    }
    return failed;
}

/* A case and its two reactions, to be read by people. See reaction.h. */
#include <stdio.h>

#include "reaction.h"

static const char *const state_text[] = {
    "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",
};

static const char *const error_text[] = {"no error", "connection reset", "connection refused",
                                         "aborted"};

struct numbers {
    uint32_t iss, irs;
};

static void print_names(unsigned bits, const char *const *name, unsigned n)
{
    const char *between = "";
    for (unsigned i = 0; i < n; i++) {
        if (bits & 1u << i) {
            printf("%s%s", between, name[i]);
            between = ",";
        }
    }
    if (bits == 0)
        printf("none");
}

static void print_ctl(unsigned ctl)
{
    static const char *const name[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
    printf("<CTL=");
    print_names(ctl, name, 6);
    printf(">");
}

static int relative(uint32_t n, uint32_t to)
{
    return (int)(int32_t)(n - to);
}

static void print_answer(const struct rfc_answer *a, const struct numbers *n)
{
    bool bare = a->ctl == (RFC_RST | RFC_ACK);
    printf("    sends    <SEQ=%d>", bare ? (int)a->seq : relative(a->seq, n->iss));
    if (a->ctl & RFC_ACK)
        printf("<ACK=%d>", relative(a->ack, n->irs));
    print_ctl(a->ctl);
    if (a->ts)
        printf("<TSecr=%d>", relative(a->tsecr, n->irs));
    if (a->sacked > 0)
        printf("<SACK of %u>", a->sacked);
    printf("%s\n", a->when == RFC_DELAYED ? " delayed" : "");
}

static void print_reaction(const char *whose, const struct reaction *r, const struct numbers *n)
{
    static const char *const signal[] = {"open", "ok", "arrived", "urgent", "over"};
    printf("  %s: %s, %s, the user hears ", whose, state_text[r->state], error_text[r->error]);
    print_names(r->signals, signal, 5);
    printf("%s%s\n", r->two_msl ? ", 2 MSL begin" : "", r->closing ? ", FIN taken" : "");
    for (unsigned i = 0; i < r->n_answers; i++)
        print_answer(&r->answer[i], n);
    printf("    unread %u, held %u", r->unread, r->held);
    if (r->state >= RFC_SYN_RECEIVED) {
        printf(", RCV.NXT %d, RCV.WND %u, urgent %u, ", relative(r->rcv_nxt, n->irs), r->rcv_wnd,
               r->urgent);
        if (r->stream == STREAM_GOES_ON)
            printf("more may come\n");
        else
            printf("to the end %u\n", r->stream);
        printf("    SND.UNA %d, SND.NXT %d, SND.WND %u, WL1 %d, WL2 %d, MAX.SND.WND %u",
               relative(r->snd_una, n->iss), relative(r->snd_nxt, n->iss), r->snd_wnd,
               relative(r->snd_wl1, n->irs), relative(r->snd_wl2, n->iss), r->max_snd_wnd);
        if (r->ts_ok)
            printf(", TS.Recent %d", relative(r->ts_recent, n->irs));
    }
    printf("\n");
}

void reaction_print(const char *scene, const struct rfc_tcb *t, const struct rfc_seg *seg,
                    const struct reaction *rfc, const struct reaction *engine)
{
    struct numbers n = {t->iss, t->state <= RFC_SYN_SENT ? seg->seq : t->irs};
    printf("In %s, %s: SND.UNA %d, SND.NXT %d, MAX.SND.WND %u", scene,
           t->passive ? "passive" : "active", relative(t->snd_una, n.iss),
           relative(t->snd_nxt, n.iss), t->max_snd_wnd);
    if (t->state >= RFC_SYN_RECEIVED)
        printf(", RCV.NXT %d, RCV.WND %u", relative(t->rcv_nxt, n.irs), t->rcv_wnd);
    printf(" (ISS %u, IRS %u)\n  arrives: <SEQ=%d>", n.iss, n.irs, relative(seg->seq, n.irs));
    if (seg->ctl & RFC_ACK)
        printf("<ACK=%d>", relative(seg->ack, n.iss));
    print_ctl(seg->ctl);
    printf("<WND=%u>", seg->wnd);
    if (seg->ctl & RFC_URG)
        printf("<UP=%u>", seg->up);
    if (seg->ts)
        printf("<TSval=%d>", relative(seg->tsval, n.irs));
    if (seg->text)
        printf("<DATA=%u>", seg->text);
    printf("\n");
    print_reaction("RFC 9293", rfc, &n);
    print_reaction("the engine", engine, &n);
}

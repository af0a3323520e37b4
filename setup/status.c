/* status.c - `status`: the lab as a drawing, with what the kernel says of it now.
 *
 * One box per node, top to bottom, a line between two boxes where a link joins them. Everything
 * is asked over rtnetlink in the namespaces, nothing is remembered; what is missing is named. 78
 * columns, drawn with box characters where the locale is UTF-8 and with ASCII where it is not. It
 * changes nothing.
 */
#include "status.h"

#include "addr.h"
#include "control.h"
#include "link.h"
#include "ns.h"
#include "route.h"
#include "say.h"
#include "settings.h"
#include "sysctl.h"
#include "topology.h"

#include <errno.h>
#include <langinfo.h>
#include <linux/if.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INSIDE = 74 }; /* columns between the walls of a box */

struct pen {
    const char *across, *down, *top_left, *top_right, *foot_left, *foot_right;
};

static const struct pen boxes = {"─", "│", "┌", "┐", "└", "┘"};
static const struct pen ascii = {"-", "|", "+", "+", "+", "+"};

struct drawing {
    const struct pen *pen;
    int home;
    bool ipv6;
    int nodes;   /* of ours */
    int missing; /* pieces that should be there and are not */
};

static void draw_across(const struct pen *pen, int columns)
{
    for (int i = 0; i < columns; i++)
        fputs(pen->across, stdout);
}

__attribute__((format(printf, 2, 3))) static void draw_line(const struct drawing *d,
                                                            const char *format, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    printf("  %s %-*s%s\n", d->pen->down, INSIDE - 1, text, d->pen->down);
}

/* 1234567 as "1.2M": a counter in at most 5 columns. */
struct amount {
    char text[8];
};

static struct amount amount_of(uint64_t n)
{
    static const char unit[] = " kMGTPE";
    struct amount amount;
    double value = (double)n;
    int u = 0;
    for (; value >= 999.5 && unit[u + 1]; u++)
        value /= 1000;
    if (u == 0)
        snprintf(amount.text, sizeof(amount.text), "%u", (unsigned int)n);
    else
        snprintf(amount.text, sizeof(amount.text), value < 9.95 ? "%.1f%c" : "%.0f%c", value,
                 unit[u]);
    return amount;
}

static void draw_counters(const struct drawing *d, const char *way, uint64_t packets,
                          uint64_t bytes, uint64_t dropped)
{
    draw_line(d, "%-14s%s %5s packets %5s bytes %5s dropped", "", way, amount_of(packets).text,
              amount_of(bytes).text, amount_of(dropped).text);
}

/* Says of each address that should be there and is not. */
static void check_addresses(struct drawing *d, const struct topo_end *end,
                            const struct addr_list *list)
{
    for (int f = V4; f < (d->ipv6 ? TOPO_FAMILIES : V6); f++) {
        bool found = false;
        for (int i = 0; i < list->count; i++)
            found = found || strcmp(list->text[i], end->addr[f]) == 0;
        if (!found) {
            draw_line(d, "%-14s%s is missing", "", end->addr[f]);
            d->missing++;
        }
    }
}

static void draw_device(struct drawing *d, struct ns *ns, const struct topo_end *end)
{
    struct link_info info;
    if (link_get(&ns->nl, end->dev, &info) < 0) {
        draw_line(d, "%-14smissing (%s)", end->dev, ns->nl.why);
        d->missing++;
        return;
    }
    struct addr_list list = {.dev = info.index};
    char text[128] = "";
    addr_list(&ns->nl, &list);
    for (int i = 0; i < list.count; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof(text) - at, "  %s", list.text[i]);
    }
    const char *state = info.running ? "up" : info.flags & IFF_UP ? "no carrier" : "down";
    draw_line(d, "%-14s%-4s mtu %u%s", end->dev, state, info.mtu, text);
    d->missing += !info.running;
    check_addresses(d, end, &list);
    draw_counters(d, "rx", info.stats.rx_packets, info.stats.rx_bytes, info.stats.rx_dropped);
    draw_counters(d, "tx", info.stats.tx_packets, info.stats.tx_bytes, info.stats.tx_dropped);
}

static void draw_facts(struct drawing *d, struct ns *ns, int node)
{
    const struct topo_node *topo = &topo_node[node];
    struct link_info lo;
    int forwards = sysctl_forwards(ns, d->home, d->ipv6);
    int wanted = !topo->forwards ? 0 : d->ipv6 ? 1 << V4 | 1 << V6 : 1 << V4;
    bool lo_up = link_get(&ns->nl, "lo", &lo) == 0 && lo.flags & IFF_UP;

    draw_line(d, "lo %s, forwarding %s%s", lo_up ? "up" : "down", forwards ? "on" : "off",
              forwards == wanted ? "" : " (that is wrong, for one family at least)");
    d->missing += !lo_up + (forwards != wanted);
    for (int f = V4; f < (d->ipv6 ? TOPO_FAMILIES : V6); f++) {
        char gateway[TOPO_ADDR_MAX];
        if (!topo->gateway[f])
            continue;
        if (route_get_default(&ns->nl, topo_af[f], gateway) < 0 || !gateway[0])
            draw_line(d, "default via %s is missing", topo->gateway[f]);
        else
            draw_line(d, "default via %s", gateway);
        d->missing += strcmp(gateway, topo->gateway[f]) != 0;
    }
}

/* Text of any length, in lines that fit. */
static void draw_words(const struct drawing *d, const char *text)
{
    while (*text) {
        int len = (int)strlen(text);
        if (len > INSIDE - 2)
            for (len = INSIDE - 2; len > 1 && text[len] != ' ';)
                len--;
        draw_line(d, "%.*s", len, text);
        text += len;
    }
}

/* What is done to the packets that the router forwards, if anything is. */
static void draw_impairment(const struct drawing *d, const struct ns *router)
{
    struct impair_state state;
    char text[SETTINGS_TEXT_MAX], line[sizeof("impaired: ") + SETTINGS_TEXT_MAX];
    if (ns_enter(router->fd) < 0)
        return;
    int found = control_ask(&(struct control_request){.op = CONTROL_SHOW}, &state);
    if (ns_enter(d->home) < 0 || found <= 0)
        return;
    settings_text(&state.settings, text);
    snprintf(line, sizeof(line), "impaired: %s", text);
    draw_words(d, line);
    for (int i = 0; i < TOPO_LINKS; i++) {
        const struct impair_counters *c = &state.counters[i];
        draw_line(d, "to %-11s%5s packets %5s out %5s lost %5s queue %5s mtu", topo_goal(i),
                  amount_of(c->packets).text, amount_of(c->out).text, amount_of(c->lost).text,
                  amount_of(c->queue).text, amount_of(c->mtu).text);
        if (c->corrupt + c->dup + c->late + state.waiting[i] > 0)
            draw_line(d, "%-14s%5s corrupt %5s dup %5s late %5s waiting", "",
                      amount_of(c->corrupt).text, amount_of(c->dup).text, amount_of(c->late).text,
                      amount_of(state.waiting[i]).text);
    }
    if (state.overflow > 0)
        draw_line(d, "%-14s%5s overflow", "", amount_of(state.overflow).text);
}

static void draw_node(struct drawing *d, int node)
{
    const struct pen *pen = d->pen;
    const char *name = topo_node[node].name;
    struct ns ns;
    enum ns_state state = ns_look(&ns, name, d->home);
    int err = errno;

    printf("  %s%s %s ", pen->top_left, pen->across, name);
    draw_across(pen, INSIDE - 3 - (int)strlen(name));
    printf("%s\n", pen->top_right);
    if (state == NS_OURS) {
        d->nodes++;
        draw_facts(d, &ns, node);
        if (node == ROUTER)
            draw_impairment(d, &ns);
        for (int l = 0; l < TOPO_LINKS; l++)
            for (int e = 0; e < 2; e++)
                if (topo_link[l].end[e].node == node)
                    draw_device(d, &ns, &topo_link[l].end[e]);
        ns_close(&ns);
    } else {
        draw_line(d, "%s",
                  state == NS_FOREIGN   ? "exists and is not ours"
                  : state == NS_UNKNOWN ? strerror(err)
                                        : "missing");
        d->missing++;
    }
    printf("  %s", pen->foot_left);
    draw_across(pen, INSIDE);
    printf("%s\n", pen->foot_right);
}

/* Between two boxes: the link that joins this node to the next one. */
static void draw_link(const struct drawing *d, int node)
{
    for (int l = 0; l < TOPO_LINKS; l++) {
        const struct topo_end *a = &topo_link[l].end[0], *b = &topo_link[l].end[1];
        if (a->node == node && b->node == node + 1)
            printf("%8s%s  %s - %s\n", "", d->pen->down, a->dev, b->dev);
    }
}

/* 0 when a look into the namespaces is allowed, as far as there are any. */
static int may_look(int home)
{
    for (int n = 0; n < TOPO_NODES; n++) {
        struct ns ns;
        if (ns_look(&ns, topo_node[n].name, home) == NS_UNKNOWN)
            return say_refused(topo_node[n].name, errno, "status");
        ns_close(&ns);
    }
    return 0;
}

int status_draw(void)
{
    setlocale(LC_CTYPE, "");
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    struct drawing d = {
        .pen = utf8 ? &boxes : &ascii, .home = ns_home(), .ipv6 = sysctl_has_ipv6()};
    if (d.home < 0)
        return say_failed("own namespace", strerror(errno), "status");
    int result = may_look(d.home);
    if (result == 0) {
        for (int n = 0; n < TOPO_NODES; n++) {
            draw_node(&d, n);
            draw_link(&d, n);
        }
        printf("  The lab is %s.\n", d.nodes == 0     ? "down"
                                     : d.missing == 0 ? "up"
                                                      : "half built: `up` mends it");
    }
    close(d.home);
    return result;
}

/* lab.c - up and down: the order of the jobs, the same for a new lab and for one to be mended.
 *
 * Each job finds out itself whether there is anything to do, so `up` needs to know no state but
 * which namespaces and pairs it made: those it takes back when a later step fails. A switch, an
 * address or a route mended in a namespace that was there before stays mended.
 */
#include "lab.h"

#include "addr.h"
#include "link.h"
#include "ns.h"
#include "route.h"
#include "say.h"
#include "sysctl.h"
#include "topology.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct lab {
    int home;      /* the caller's network namespace */
    int lock;      /* NS_DIR, flocked: one `up` or `down` at a time */
    sigset_t mask; /* the caller's signal mask */
    bool ipv6;
    struct ns ns[TOPO_NODES];
    enum ns_state was[TOPO_NODES]; /* before we came */
    bool made_ns[TOPO_NODES];
    bool made_pair[TOPO_LINKS];
};

static void release(struct lab *lab)
{
    for (int i = 0; i < TOPO_NODES; i++)
        ns_close(&lab->ns[i]);
    close(lab->lock);
    close(lab->home);
    sigprocmask(SIG_SETMASK, &lab->mask, NULL);
}

/* Waits for the lock, as long as it takes: ^C ends that. From then until release() it is held back,
 * for the few milliseconds that the work takes: no half-built lab. */
static int take_lock(struct lab *lab)
{
    sigset_t set;
    int result = flock(lab->lock, LOCK_EX);
    int err = errno;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &lab->mask);
    errno = err;
    return result;
}

/* Locks and looks at every name. 0, or -1 after saying why: then nothing is open. */
static int survey(struct lab *lab)
{
    *lab = (struct lab){.home = ns_home(), .ipv6 = sysctl_has_ipv6()};
    sigprocmask(SIG_BLOCK, NULL, &lab->mask);
    lab->lock = open(NS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < TOPO_NODES; i++)
        lab->ns[i].fd = -1;
    if (lab->home < 0 || lab->lock < 0 || take_lock(lab) < 0) {
        say_failed(NS_DIR, strerror(errno), "lock");
        release(lab);
        return -1;
    }
    for (int i = 0; i < TOPO_NODES; i++) {
        lab->was[i] = ns_look(&lab->ns[i], topo_node[i].name, lab->home);
        if (lab->was[i] == NS_UNKNOWN) {
            say_failed(topo_node[i].name, strerror(errno), "look at the namespace");
            release(lab);
            return -1;
        }
    }
    return 0;
}

/* 0, or -1 after naming each namespace that somebody else made. */
static int check_foreign(const struct lab *lab, const char *doing)
{
    int result = 0;
    for (int i = 0; i < TOPO_NODES; i++)
        if (lab->was[i] == NS_FOREIGN)
            result = say_failed(NS_DIR, "left untouched", "%s: %s exists and is not ours", doing,
                                topo_node[i].name);
    return result;
}

static int make_pair(struct lab *lab, int l)
{
    const struct topo_end *a = &topo_link[l].end[0], *b = &topo_link[l].end[1];
    struct ns *na = &lab->ns[a->node], *nb = &lab->ns[b->node];

    if (link_is_pair(na, a->dev, nb, b->dev))
        return 0;
    /* Half a pair, or devices of another kind: they cannot be mended, only replaced. */
    if (link_delete(na, a->dev) < 0 || link_delete(nb, b->dev) < 0 ||
        link_make_pair(na, a->dev, nb, b->dev) < 0)
        return -1;
    lab->made_pair[l] = true;
    return 0;
}

/* A job to do at each end of each link. */
typedef int end_job(struct lab *lab, struct ns *ns, const struct topo_end *end);

static int each_end(struct lab *lab, end_job *job)
{
    for (int l = 0; l < TOPO_LINKS; l++)
        for (int e = 0; e < 2; e++) {
            const struct topo_end *end = &topo_link[l].end[e];
            if (job(lab, &lab->ns[end->node], end) < 0)
                return -1;
        }
    return 0;
}

static int bring_up(struct lab *lab, struct ns *ns, const struct topo_end *end)
{
    if (sysctl_set_dev(ns, lab->home, end->dev, lab->ipv6) < 0)
        return -1;
    return link_set_up(ns, end->dev);
}

static int wait_running(struct lab *lab, struct ns *ns, const struct topo_end *end)
{
    (void)lab;
    return link_wait_running(ns, end->dev);
}

static int set_addresses(struct lab *lab, struct ns *ns, const struct topo_end *end)
{
    for (int f = V4; f < (lab->ipv6 ? TOPO_FAMILIES : V6); f++)
        if (addr_set(ns, end->dev, topo_af[f], end->addr[f]) < 0)
            return -1;
    return 0;
}

static int set_routes(struct lab *lab, int node)
{
    for (int f = V4; f < (lab->ipv6 ? TOPO_FAMILIES : V6); f++) {
        const char *gateway = topo_node[node].gateway[f];
        if (gateway && route_set_default(&lab->ns[node], topo_af[f], gateway) < 0)
            return -1;
    }
    return 0;
}

/* A namespace with its loopback and its switches. */
static int build_node(struct lab *lab, int node)
{
    const struct topo_node *topo = &topo_node[node];
    struct ns *ns = &lab->ns[node];
    if (lab->was[node] != NS_OURS) {
        if (ns_make(ns, topo->name, lab->home) < 0)
            return -1;
        lab->made_ns[node] = true;
    }
    if (link_set_up(ns, "lo") < 0)
        return -1;
    return sysctl_set_node(ns, lab->home, topo->forwards, lab->ipv6);
}

static int build(struct lab *lab)
{
    for (int n = 0; n < TOPO_NODES; n++)
        if (build_node(lab, n) < 0)
            return -1;
    for (int l = 0; l < TOPO_LINKS; l++)
        if (make_pair(lab, l) < 0)
            return -1;
    /* Gateways are reachable only when addresses are set, and an IPv6 address lasts only on a
     * device that is up. */
    if (each_end(lab, bring_up) < 0 || each_end(lab, wait_running) < 0 ||
        each_end(lab, set_addresses) < 0)
        return -1;
    for (int n = 0; n < TOPO_NODES; n++)
        if (set_routes(lab, n) < 0)
            return -1;
    return 0;
}

static void undo(struct lab *lab)
{
    for (int l = 0; l < TOPO_LINKS; l++)
        if (lab->made_pair[l])
            link_delete(&lab->ns[topo_link[l].end[0].node], topo_link[l].end[0].dev);
    for (int n = 0; n < TOPO_NODES; n++)
        if (lab->made_ns[n])
            ns_remove(topo_node[n].name);
}

int lab_up(void)
{
    struct lab lab;
    if (ns_dir_make() < 0 || survey(&lab) < 0)
        return -1;
    if (!lab.ipv6)
        fprintf(stderr, "netns: up: IPv6: this kernel has none; going on with IPv4\n");
    int result = check_foreign(&lab, "up");
    if (result == 0 && (result = build(&lab)) < 0)
        undo(&lab);
    release(&lab);
    return result;
}

static int delete_end(struct lab *lab, struct ns *ns, const struct topo_end *end)
{
    return lab->was[end->node] == NS_OURS ? link_delete(ns, end->dev) : 0;
}

int lab_down(void)
{
    struct lab lab;
    if (access(NS_DIR, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (survey(&lab) < 0)
        return -1;
    int result = check_foreign(&lab, "down");
    /* The devices first: a namespace lives on while a process is in it, and they would too. */
    if (each_end(&lab, delete_end) < 0)
        result = -1;
    for (int n = 0; n < TOPO_NODES; n++)
        if ((lab.was[n] == NS_OURS || lab.was[n] == NS_STALE) && ns_remove(topo_node[n].name) < 0)
            result = -1;
    release(&lab);
    return result;
}

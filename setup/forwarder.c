/* forwarder.c - one process, one loop: packets, requests, and the signs that the lab has gone.
 *
 * The caller opens everything, so that what fails is said where the user reads it; then it is in
 * force, and a child goes on with it. Nothing outlives the child: the kernel closes its sockets,
 * and with them go the name, the queue and the table (hook.h), by whatever it ended.
 *
 * The process in it keeps a network namespace alive, so it watches for what it would otherwise
 * notice by dying: `ip netns del router` takes only the name, and `down` the devices and the name.
 */
#include "forwarder.h"

#include "control.h"
#include "hook.h"
#include "ns.h"
#include "nstime.h"
#include "say.h"
#include "traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct forwarder {
    struct traffic traffic;
    struct nl hook;
    struct nl links; /* tells of devices that come and go */
    int names;       /* inotify: tells of names that go from NS_DIR */
    int control;
    int client;                 /* whose request is awaited; -1: nobody's */
    uint32_t index[TOPO_LINKS]; /* of the device by which packets of that direction leave */
};

/* The router's device on that link. */
static const char *device(int direction)
{
    const struct topo_end *end = topo_link[direction].end;
    return end[end[0].node != ROUTER].dev;
}

static int open_devices(struct forwarder *f)
{
    int group = RTNLGRP_LINK;
    if (nl_open(&f->links, NETLINK_ROUTE) < 0 ||
        mnl_socket_setsockopt(f->links.sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
        return say_failed("router", strerror(errno), "impair: watch the devices");
    for (int d = 0; d < TOPO_LINKS; d++) {
        f->index[d] = if_nametoindex(device(d));
        if (f->index[d] == 0)
            return say_failed(device(d), strerror(errno), "impair: the router's devices");
    }
    return 0;
}

static int open_names(struct forwarder *f)
{
    f->names = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->names < 0 || inotify_add_watch(f->names, NS_DIR, IN_DELETE) < 0)
        return say_failed(NS_DIR, strerror(errno), "impair: watch the names");
    return 0;
}

static void close_all(struct forwarder *f)
{
    nl_close(&f->hook);
    traffic_close(&f->traffic);
    nl_close(&f->links);
    if (f->names >= 0)
        close(f->names);
    if (f->control >= 0)
        close(f->control);
}

/* 0: in force; 1: another one is; -1 after saying why. The name comes first, as a lock; the table
 * last, because from then on the router forwards nothing without us. */
static int open_all(struct forwarder *f, const struct impair_settings *settings)
{
    f->control = control_listen();
    if (f->control < 0 && errno == EADDRINUSE)
        return 1;
    if (f->control < 0)
        return say_failed("control socket", strerror(errno), "impair: open");
    if (open_devices(f) < 0 || open_names(f) < 0 || traffic_open(&f->traffic, settings) < 0)
        return -1;
    return hook_set(&f->hook, f->index, TOPO_LINKS);
}

/* False: it was told to end. */
static bool serve(struct forwarder *f)
{
    struct control_request request;
    bool go_on = true;
    if (control_take(f->client, &request) == 0) {
        if (request.op == CONTROL_SET)
            traffic_set(&f->traffic, &request.settings);
        go_on = request.op != CONTROL_OFF;
        if (!go_on) {
            hook_pass(&f->hook);
            traffic_end(&f->traffic);
        }
        control_answer(f->client, traffic_state(&f->traffic));
    }
    if (go_on) { /* else closed by the end, which the client waits for */
        close(f->client);
        f->client = -1;
    }
    return go_on;
}

static bool router_named(int names)
{
    _Alignas(struct inotify_event) char buf[4096];
    ssize_t n;
    while ((n = read(names, buf, sizeof(buf))) > 0) {
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *event = (const void *)p;
            if (event->len > 0 && strcmp(event->name, topo_node[ROUTER].name) == 0)
                return false;
            p += sizeof(*event) + event->len;
        }
    }
    return true;
}

static bool devices_there(struct forwarder *f)
{
    char buf[4096], name[IF_NAMESIZE];
    while (recv(mnl_socket_get_fd(f->links.sock), buf, sizeof(buf), MSG_DONTWAIT) > 0) {
    }
    for (int d = 0; d < TOPO_LINKS; d++)
        if (!if_indextoname(f->index[d], name))
            return false;
    return true;
}

/* Until then. NULL: for ever. */
static const struct timespec *wait_until(uint64_t then, struct timespec *wait)
{
    uint64_t now = then == TIME_NEVER ? 0 : traffic_now();
    uint64_t ns = then > now ? then - now : 0;
    *wait = (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    return then == TIME_NEVER ? NULL : wait;
}

static void work(struct forwarder *f)
{
    enum { PACKETS, REQUESTS, NAMES, LINKS, FDS };
    for (bool alive = true; alive;) {
        traffic_work(&f->traffic);
        const short listens = f->traffic.listens ? POLLIN : 0;
        struct pollfd fds[FDS] = {
            [PACKETS] = {.fd = queue_fd(&f->traffic.queue), .events = listens},
            [REQUESTS] = {.fd = f->client < 0 ? f->control : f->client, .events = POLLIN},
            [NAMES] = {.fd = f->names, .events = POLLIN},
            [LINKS] = {.fd = mnl_socket_get_fd(f->links.sock), .events = POLLIN}};
        struct timespec wait;
        if (ppoll(fds, FDS, wait_until(f->traffic.next, &wait), NULL) < 0)
            continue;
        if (fds[REQUESTS].revents && f->client < 0)
            f->client = accept4(f->control, NULL, NULL, SOCK_CLOEXEC);
        else if (fds[REQUESTS].revents)
            alive = serve(f);
        if (fds[NAMES].revents)
            alive = alive && router_named(f->names);
        if (fds[LINKS].revents)
            alive = alive && devices_there(f);
    }
}

/* A wire does not wait for those who use it. Not everybody may ask for that, and it does without.
 */
static void come_first(void)
{
    const struct sched_param first = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    sched_setscheduler(0, SCHED_FIFO, &first);
}

/* The child: nobody's foreground, nobody's pipe, nobody's folder. Only SIGTERM and SIGKILL are
 * meant for it; the others would come from a terminal, meant for a command. */
_Noreturn static void become_daemon(struct forwarder *f)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    setsid();
    prctl(PR_SET_NAME, "impair");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    come_first();
    if (chdir("/") == 0)
        work(f);
    _exit(0);
}

int forwarder_start(const struct impair_settings *settings)
{
    struct forwarder f = {.traffic = TRAFFIC_CLOSED, .names = -1, .control = -1, .client = -1};
    close_range(STDERR_FILENO + 1, ~0U, 0); /* what we were given shall not be held for long */
    int result = open_all(&f, settings);
    pid_t child = result == 0 ? fork() : -1;
    if (child == 0)
        become_daemon(&f);
    if (result == 0 && child < 0)
        result = say_failed("forwarder", strerror(errno), "impair: start");
    close_all(&f);
    return result;
}

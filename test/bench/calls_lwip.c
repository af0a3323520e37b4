/*
 * The socket calls that the measurements make, over lwIP's raw API, as a table: see calls.h. What
 * no measurement needs is not there. A call that has to wait moves the packets itself.
 */
#include <errno.h>
#include <lwip/priv/tcp_priv.h>
#include <pthread.h>
#include <string.h>

#include "bench.h"
#include "lwip_wire.h"

#define SOCKETS_MAX 20000
/* lwIP would take each local port once, and search all connections for it. */
#define PORT_FIRST 32768u
#define PORTS      28000u

static struct lwip_socket {
    struct tcp_pcb *pcb; /* NULL: there is no connection (any more) */
    bool used, connected, ended;
    int error;
    struct pbuf *arrived;
    size_t skip;        /* octets of its first piece that have been read */
    int waiting, later; /* to be accepted: the first; and, of each, the next; 0: none */
} sockets[SOCKETS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool spin;

static int64_t leave(int64_t result)
{
    pthread_mutex_unlock(&lock);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

static struct lwip_socket *enter(int sock)
{
    pthread_mutex_lock(&lock);
    return &sockets[sock];
}

/* Other threads come in, and packets; in the end something has changed, or not. */
static void turn(void)
{
    bool any = lwip_wire_move();
    pthread_mutex_unlock(&lock);
    if (!any && !spin)
        lwip_wire_wait();
    pthread_mutex_lock(&lock);
}

static int new_socket(void)
{
    for (int i = 1; i < SOCKETS_MAX; i++) {
        if (!sockets[i].used) {
            sockets[i] = (struct lwip_socket){.used = true};
            return i;
        }
    }
    return -ENFILE;
}

static err_t on_text(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct lwip_socket *s = arg;
    (void)pcb;
    if (!p)
        s->ended = true;
    else if (s->arrived)
        pbuf_cat(s->arrived, p);
    else
        s->arrived = p;
    return err;
}

static void on_error(void *arg, err_t err)
{
    struct lwip_socket *s = arg;
    s->error = err_to_errno(err);
    s->ended = true;
    s->pcb = NULL;
}

static err_t on_connection(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)pcb;
    ((struct lwip_socket *)arg)->connected = true;
    return err;
}

static void use(struct lwip_socket *s, struct tcp_pcb *pcb)
{
    s->pcb = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_text);
    tcp_err(pcb, on_error);
    tcp_nagle_disable(pcb);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct lwip_socket *listener = arg;
    int sock = err == ERR_OK ? new_socket() : -1, *last = &listener->waiting;
    if (sock < 0)
        return ERR_MEM;
    use(&sockets[sock], pcb);
    while (*last)
        last = &sockets[*last].later;
    *last = sock;
    return ERR_OK;
}

static bool begin(struct nstcp **stack, const struct nstcp_options *options)
{
    static char lwip;
    (void)options;
    lwip_wire_open();
    *stack = (struct nstcp *)(void *)&lwip;
    return true;
}

/* Until all is acknowledged, as nstcp_destroy. */
static int end(struct nstcp *stack, int timeout_ms)
{
    uint64_t until = now_ns() + (uint64_t)timeout_ms * 1000000;
    (void)stack;
    pthread_mutex_lock(&lock);
    while (tcp_active_pcbs && now_ns() < until)
        turn();
    lwip_wire_close();
    pthread_mutex_unlock(&lock);
    return 0;
}

static int open_socket(struct nstcp *stack, int domain, int type, int protocol)
{
    (void)stack;
    (void)domain;
    (void)type;
    (void)protocol;
    pthread_mutex_lock(&lock);
    int sock = new_socket();
    struct tcp_pcb *pcb = sock < 0 ? NULL : tcp_new();
    if (pcb) {
        ip_set_option(pcb, SOF_REUSEADDR);
        use(&sockets[sock], pcb);
    }
    return (int)leave(pcb ? sock : -ENFILE);
}

static int set_option(struct nstcp *stack, int sock, int level, int name, const void *value,
                      socklen_t len)
{
    (void)stack;
    (void)sock;
    (void)level;
    (void)len;
    if (name == SO_BUSY_POLL)
        memcpy(&spin, value, sizeof spin);
    return 0;
}

static ip_addr_t address(const struct sockaddr *addr, u16_t *port)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
    const ip_addr_t ip = IPADDR4_INIT(in->sin_addr.s_addr);
    *port = ntohs(in->sin_port);
    return ip;
}

static int bind_to(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    u16_t port;
    const ip_addr_t ip = address(addr, &port);
    (void)stack;
    (void)len;
    return (int)leave(-err_to_errno(tcp_bind(enter(sock)->pcb, &ip, port)));
}

static int listen_on(struct nstcp *stack, int sock, int backlog)
{
    struct lwip_socket *s = enter(sock);
    (void)stack;
    s->pcb = tcp_listen_with_backlog(s->pcb, (u8_t)(backlog < 255 ? backlog : 255));
    tcp_accept(s->pcb, on_accept);
    return (int)leave(0);
}

static int accept_on(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len,
                     int flags)
{
    struct lwip_socket *s = enter(sock);
    (void)stack;
    (void)flags;
    while (!s->waiting)
        turn();
    int got = s->waiting;
    s->waiting = sockets[got].later;
    if (addr) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)addr;
        *in = (struct sockaddr_in){.sin_family = AF_INET};
        in->sin_addr.s_addr = ip_2_ip4(&sockets[got].pcb->remote_ip)->addr;
        in->sin_port = htons(sockets[got].pcb->remote_port);
        *len = sizeof *in;
    }
    return (int)leave(got);
}

/* As RFC 6056 3.3.3 has it, in turn for each remote port. */
static u16_t next_port(u16_t remote)
{
    static u16_t used[UINT16_MAX + 1];
    return (u16_t)(PORT_FIRST + used[remote]++ % PORTS);
}

static int connect_to(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    u16_t port;
    const ip_addr_t ip = address(addr, &port);
    struct lwip_socket *s = enter(sock);
    (void)stack;
    (void)len;
    err_t err = tcp_bind(s->pcb, IP4_ADDR_ANY, next_port(port));
    if (err == ERR_OK)
        err = tcp_connect(s->pcb, &ip, port, on_connection);
    if (err != ERR_OK)
        return (int)leave(-err_to_errno(err));
    while (!s->connected && !s->ended)
        turn();
    return (int)leave(-s->error);
}

static ssize_t send_to(struct nstcp *stack, int sock, const void *data, size_t len, int flags)
{
    struct lwip_socket *s = enter(sock);
    size_t done = 0;
    (void)stack;
    (void)flags;
    while (done < len && s->pcb) {
        size_t room = tcp_sndbuf(s->pcb), n = len - done < room ? len - done : room;
        err_t err = ERR_MEM;
        if (n > 0)
            err = tcp_write(s->pcb, (const char *)data + done, (u16_t)n, TCP_WRITE_FLAG_COPY);
        if (err == ERR_OK) {
            done += n;
            tcp_output(s->pcb);
        } else {
            turn();
        }
    }
    return (ssize_t)leave(s->pcb ? (int64_t)done : -s->error);
}

/* Copies from the front of what has arrived. */
static size_t take(struct lwip_socket *s, char *to, size_t len)
{
    size_t done = 0;
    while (s->arrived && done < len) {
        struct pbuf *p = s->arrived;
        size_t left = p->len - s->skip, n = left < len - done ? left : len - done;
        memcpy(to + done, (char *)p->payload + s->skip, n);
        done += n;
        s->skip += n;
        if (s->skip == p->len) {
            s->skip = 0;
            s->arrived = p->next;
            if (p->next)
                pbuf_ref(p->next);
            pbuf_free(p);
        }
    }
    return done;
}

static ssize_t recv_from(struct nstcp *stack, int sock, void *buf, size_t len, int flags)
{
    struct lwip_socket *s = enter(sock);
    (void)stack;
    while (!s->arrived && !s->ended && !(flags & MSG_DONTWAIT))
        turn();
    if (!s->arrived && !s->ended) {
        lwip_wire_move();
        return (ssize_t)leave(-EAGAIN);
    }
    size_t n = take(s, buf, len);
    for (size_t told = 0; s->pcb && told < n;) {
        u16_t part = (u16_t)(n - told < UINT16_MAX ? n - told : UINT16_MAX);
        tcp_recved(s->pcb, part);
        told += part;
    }
    return (ssize_t)leave(n == 0 ? -s->error : (int64_t)n);
}

static int shut_down(struct nstcp *stack, int sock, int how)
{
    struct lwip_socket *s = enter(sock);
    (void)stack;
    return (int)leave(s->pcb ? -err_to_errno(tcp_shutdown(s->pcb, how != SHUT_WR, how != SHUT_RD))
                             : -ENOTCONN);
}

static int close_socket(struct nstcp *stack, int sock)
{
    struct lwip_socket *s = enter(sock);
    err_t err = ERR_OK;
    (void)stack;
    if (s->pcb) {
        tcp_arg(s->pcb, NULL);
        if (s->pcb->state != LISTEN) {
            tcp_recv(s->pcb, NULL);
            tcp_err(s->pcb, NULL);
        }
        err = tcp_close(s->pcb);
    }
    if (s->arrived)
        pbuf_free(s->arrived);
    s->used = false;
    return (int)leave(-err_to_errno(err));
}

static int poll_sockets(struct nstcp *stack, struct pollfd *fds, nfds_t n, int timeout_ms)
{
    int ready = 0;
    (void)stack;
    (void)timeout_ms;
    pthread_mutex_lock(&lock);
    for (;;) {
        for (nfds_t i = 0; i < n; i++) {
            const struct lwip_socket *s = &sockets[fds[i].fd];
            fds[i].revents = s->arrived || s->ended || s->waiting ? POLLIN : 0;
            ready += fds[i].revents != 0;
        }
        if (ready > 0)
            return (int)leave(ready);
        turn();
    }
}

static const struct calls calls_lwip = {
    .name = "lwip",
    .begin = begin,
    .end = end,
    .socket = open_socket,
    .bind = bind_to,
    .listen = listen_on,
    .accept4 = accept_on,
    .connect = connect_to,
    .send = send_to,
    .recv = recv_from,
    .shutdown = shut_down,
    .close = close_socket,
    .setsockopt = set_option,
    .poll = poll_sockets,
};

const struct calls *calls_named(const char *name)
{
    return strcmp(name, calls_lwip.name) == 0 ? &calls_lwip : NULL;
}

long time_waits(struct bench *b, unsigned open)
{
    long n = 0;
    (void)b;
    (void)open;
    pthread_mutex_lock(&lock);
    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
        n++;
    pthread_mutex_unlock(&lock);
    return n;
}

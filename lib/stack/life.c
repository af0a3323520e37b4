/* Making and ending stacks, listeners and connections: all memory of stack/ is taken here. */
#include "cookie.h"
#include "isn.h"
#include "minmax.h"
#include "pmtu.h"
#include "sock.h"

/* RFC 791 3.1, RFC 8200 3: so much text fits into a packet with the longest headers. */
#define SUPER_MAX (65535u - PACKET_HEAD_MAX)

int stack_create(struct stack **out, const struct stack_config *config)
{
    struct stack *s = mem_zalloc(config->mem, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->mem = config->mem;
    s->config = *config;
    s->cookie_key = cookie_key(&config->secret);
    tcp_common_init(&s->tcp, &s->config.tcp, s->mem, &s->config.trace,
                    min_u32(config->caps.super_max, SUPER_MAX));
    list_init(&s->ready);
    list_init(&s->pending);
    list_init(&s->ended);
    list_init(&s->resting);
    list_init(&s->time_wait);
    list_init(&s->echoes);
    list_init(&s->echoes_lent);
    heap_init(&s->timers, s->mem);
    ports_init(&s->ports, s->mem);
    reassembly_init(&s->reassembly, &config->secret, s->mem);
    bool ok = table_init(&s->table, &config->secret, s->mem);
    if (!ok || !table_init(&s->owned, &config->secret, s->mem)) {
        if (ok)
            table_finish(&s->table);
        mem_free(s->mem, s, sizeof *s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_NONE;
}

static void free_ended(struct list *connections)
{
    while (!list_empty(connections))
        conn_free(container_of(connections->next, struct conn, pending));
}

void stack_destroy(struct stack *s)
{
    if (!s)
        return;
    for (struct table_node *node = table_next(&s->table, NULL), *next; node; node = next) {
        struct sock *so = container_of(node, struct sock, node);
        next = table_next(&s->table, node);
        if (so->kind == SOCK_CONNECTION)
            conn_free(as_conn(so));
    }
    free_ended(&s->pending);
    free_ended(&s->ended);
    for (struct table_node *node; (node = table_next(&s->table, NULL));)
        listener_free(as_listener(container_of(node, struct sock, node)));
    icmp_finish(s);
    owned_finish(s);
    table_finish(&s->table);
    ports_finish(&s->ports);
    reassembly_finish(&s->reassembly);
    heap_finish(&s->timers);
    mem_free(s->mem, s, sizeof *s);
}

static void sock_enter(struct stack *s, struct sock *so, enum sock_kind kind,
                       const struct flow *key)
{
    if (++s->next_id == 0)
        s->next_id = 1;
    so->kind = kind;
    so->id = s->next_id;
    so->node.flow = *key;
    list_init(&so->line);
    table_insert(&s->table, &so->node);
    so->listed = true;
    s->n_socks++;
}

static void sock_unlist(struct stack *s, struct sock *so)
{
    if (so->listed)
        table_remove(&s->table, &so->node);
    so->listed = false;
}

static void sock_leave(struct stack *s, struct sock *so)
{
    list_remove(&so->line);
    sock_unlist(s, so);
    s->n_socks--;
}

uint16_t stack_first_mtu(const struct stack *s, const struct ip_addr *remote, uint32_t mtu)
{
    uint16_t least = ip_addr_is_v4(remote) ? 68 : 1280;
    if (mtu == 0)
        mtu = s->config.caps.mtu;
    if (mtu < least)
        return least;
    return mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
}

/* Ends it, up to its own memory. */
static void conn_finish(struct conn *c)
{
    struct stack *s = conn_stack(c);
    s->n_unfinished -= c->sock.unfinished;
    if (conn_listener(c))
        listener_forget(c);
    list_remove(&c->pending);
    heap_set(&s->timers, &c->timer, TIME_NEVER);
    tcb_finish(&c->tcb);
    conn_free_options(c);
    sock_leave(s, &c->sock);
}

/* The connection that has to go at max_socks; NULL below it, and when there is none. */
static struct conn *to_give_way(struct stack *s)
{
    bool room = s->n_socks < s->config.max_socks;
    return room || list_empty(&s->time_wait) ? NULL : conn_in_line(s->time_wait.next);
}

/* Memory for a connection and for what it begins with, or that of an old one, which then is gone.
 * NULL, and the old one as it was, for want of memory. */
static struct conn *conn_memory(struct stack *s, struct conn *old, struct busy **busy)
{
    if (old) {
        *busy = tcb_take_busy(&old->tcb);
        if (!*busy)
            return NULL;
        conn_finish(old);
        *old = (struct conn){0};
        return old;
    }
    if (s->n_socks >= s->config.max_socks || !heap_reserve(&s->timers, s->n_socks + 1))
        return NULL;
    struct conn *c = mem_zalloc(s->mem, sizeof *c);
    *busy = c ? mem_alloc(s->mem, sizeof **busy) : NULL;
    if (c && !*busy) {
        mem_free(s->mem, c, sizeof *c);
        return NULL;
    }
    return c;
}

struct conn *conn_create(struct stack *s, const struct flow *flow, uint32_t mtu, struct conn *old)
{
    struct busy *busy;
    struct conn *c = conn_memory(s, old ? old : to_give_way(s), &busy);
    if (!c)
        return NULL;
    sock_enter(s, &c->sock, SOCK_CONNECTION, flow);
    list_init(&c->pending);
    heap_node_init(&c->timer);
    tcb_init(&c->tcb, &c->sock.node.flow, stack_first_mtu(s, &flow->remote, mtu), &s->tcp,
             c->sock.id, busy);
    c->tcb.timestamps.offset = isn_ts_offset(&s->config.secret, flow);
    const struct path_slot *known = paths_find(&s->paths, &s->config.secret, &flow->remote);
    if (known)
        tcp_pmtu_known(&c->tcb, known->mtu, known->until_ns);
    return c;
}

void conn_free(struct conn *c)
{
    struct stack *s = conn_stack(c);
    conn_finish(c);
    mem_free(s->mem, c, sizeof *c);
}

void conn_unlist(struct conn *c)
{
    sock_unlist(conn_stack(c), &c->sock);
}

struct listener *listener_create(struct stack *s, const struct flow *key, uint32_t backlog)
{
    struct conn *old = to_give_way(s);
    if (old)
        conn_free(old);
    if (s->n_socks >= s->config.max_socks)
        return NULL;
    struct listener *l = mem_zalloc(s->mem, sizeof *l);
    if (!l)
        return NULL;
    l->stack = s;
    sock_enter(s, &l->sock, SOCK_LISTENER, key);
    l->settings = shared_again(&s->tcp.defaults.value);
    l->backlog = backlog > 0 ? backlog : 1;
    list_init(&l->half_open);
    list_init(&l->completed);
    return l;
}

void listener_free(struct listener *l)
{
    struct stack *s = l->stack;
    sock_leave(s, &l->sock);
    shared_put(&s->tcp.settings, l->settings);
    mem_free(s->mem, l, sizeof *l);
}

uint32_t stack_sock_count(const struct stack *s)
{
    return s->n_socks;
}

void stack_used_ports(const struct stack *s, struct port_set *used)
{
    const struct table_node *node = NULL;
    while ((node = table_next(&s->table, node)))
        port_set_add(used, node->flow.local_port);
}

uint32_t stack_sock_id(const struct sock *so)
{
    return so->id;
}

void stack_counters(const struct stack *s, struct stack_counters *out)
{
    *out = s->counters;
    out->fragment_drops = s->reassembly.dropped;
}

/* Those in this list that are not in the table. */
static uint32_t count_ended(const struct list *connections)
{
    uint32_t n = 0;
    for (const struct list *node = connections->next; node != connections; node = node->next)
        n += !container_of((struct list *)(uintptr_t)node, struct conn, pending)->sock.listed;
    return n;
}

const char *stack_check(const struct stack *s)
{
    uint32_t listed = 0, unfinished = 0, ended = count_ended(&s->ended);
    for (struct table_node *node = NULL; (node = table_next(&s->table, node)); listed++) {
        struct sock *so = container_of(node, struct sock, node);
        unfinished += so->kind == SOCK_CONNECTION && conn_unfinished(as_conn(so));
        if (!so->listed || !table_holds(&s->table, node))
            return "every socket is found by its four-tuple";
        const char *why = so->kind == SOCK_CONNECTION ? tcb_check_deep(&as_conn(so)->tcb) : NULL;
        if (why)
            return why;
    }
    if (list_empty(&s->pending) && unfinished != s->n_unfinished)
        return "the connections that are not finished are counted";
    ended += count_ended(&s->pending);
    return listed + ended == s->n_socks && listed == s->table.n ? NULL : "the sockets are counted";
}

/*
 * A program that forks while it has connections: forker ADDR PORT. Echoes what its first client
 * sends, in a thread, and does what it is told by lines of standard input:
 *
 *     fork      a child that sleeps for ever, and says its process id
 *     disown    the same, which has called nstcp_destroy
 *     exec      a child that becomes `ls /proc/self/fd`
 *     own       a child with a stack of its own, which takes the port after the parent's
 *     destroy   nstcp_destroy
 *     exit      without it
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netdb.h>

#include "nstcp.h"

static void __attribute__((noreturn)) die(const char *what)
{
    printf("forker: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static struct nstcp *make_stack(void)
{
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(&stack, NULL, why) < 0)
        die(why);
    return stack;
}

static int listen_on(struct nstcp *stack, const char *addr, int port)
{
    const struct addrinfo want = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                  .ai_socktype = SOCK_STREAM};
    struct addrinfo *at;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)(uint16_t)port);
    if (getaddrinfo(addr, service, &want, &at) != 0)
        die("address");
    int sock = nstcp_socket(stack, at->ai_family, SOCK_STREAM, 0);
    if (nstcp_bind(stack, sock, at->ai_addr, at->ai_addrlen) < 0 ||
        nstcp_listen(stack, sock, 8) < 0)
        die("listen");
    freeaddrinfo(at);
    return sock;
}

struct server {
    struct nstcp *stack;
    int listener;
};

static void *echo(void *arg)
{
    const struct server *s = arg;
    int sock = nstcp_accept(s->stack, s->listener, NULL, NULL);
    char buf[4096];
    ssize_t n;
    while ((n = nstcp_recv(s->stack, sock, buf, sizeof buf, 0)) > 0)
        nstcp_send(s->stack, sock, buf, (size_t)n, 0);
    return NULL;
}

static void child(struct nstcp *stack, const char *addr, int port, const char *what)
{
    if (strcmp(what, "exec") == 0) {
        execlp("ls", "ls", "-x", "/proc/self/fd", (char *)NULL);
        die("exec");
    }
    if (strcmp(what, "disown") == 0 && nstcp_destroy(stack, -1) < 0)
        die("destroy in the child");
    if (strcmp(what, "own") == 0)
        listen_on(make_stack(), addr, port + 1);
    printf("child %ld\n", (long)getpid());
    fflush(stdout);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int port = atoi(argv[2]);
    struct server s = {.stack = make_stack()};
    s.listener = listen_on(s.stack, argv[1], port);
    pthread_t thread;
    if (pthread_create(&thread, NULL, echo, &s) != 0)
        die("a thread");
    puts("ready");
    fflush(stdout);
    char line[80];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "exit") == 0)
            exit(0);
        if (strcmp(line, "destroy") == 0) {
            nstcp_stop(s.stack);
            pthread_join(thread, NULL);
            if (nstcp_destroy(s.stack, 5000) < 0)
                die("destroy");
            puts("destroyed");
            fflush(stdout);
            continue;
        }
        pid_t pid = fork();
        if (pid == 0)
            child(s.stack, argv[1], port, line);
        if (strcmp(line, "exec") == 0 && waitpid(pid, NULL, 0) == pid)
            puts("executed");
        fflush(stdout);
    }
    return 0;
}

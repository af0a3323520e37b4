/* init.c - process 1 of a private lab: builds it, runs the command, buries the dead.
 *
 * See pid_namespaces(7). When this process ends, the kernel kills every process of its PID
 * namespace, and with the last of them go the mounts, the network namespaces and their devices:
 * cleaning up is not a step that could be skipped. It knows no terminal.
 */
#include "init.h"

#include "exec.h"
#include "lab.h"
#include "link.h"
#include "private.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The namespace the command starts in: empty but for lo, not the machine's. */
static int loopback_up(void)
{
    struct ns here = {.name = "the private lab", .fd = -1};
    if (nl_open(&here.nl, NETLINK_ROUTE) < 0)
        return say_failed("the private lab", strerror(errno), "netlink socket");
    int result = link_set_up(&here, "lo");
    ns_close(&here);
    return result;
}

static pid_t start(const struct init *init)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (init->tty >= 0) {
        sigset_t ttou; /* sent to who takes the terminal from the background */
        sigemptyset(&ttou);
        sigaddset(&ttou, SIGTTOU);
        sigprocmask(SIG_BLOCK, &ttou, NULL);
        if (setpgid(0, 0) < 0 || tcsetpgrp(init->tty, getpid()) < 0)
            say_failed("the terminal", strerror(errno), "hand to %s", init->argv[0]);
    }
    sigprocmask(SIG_SETMASK, init->mask, NULL);
    exec_argv(init->argv);
}

/* Waits for every dead child, ours and those whose parents died; leaves with the command. */
static void bury(pid_t command)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == command)
            _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* Passes a signal on, or leaves when the process that would wait for us is gone. */
static void obey(pid_t command, int orders)
{
    unsigned char sig = 0;
    ssize_t n = read(orders, &sig, 1);
    if (n == 0)
        _exit(1);
    /* What a terminal would send to the whole group reaches everybody: bash, for one, does not
     * end by a SIGINT that its child was spared. */
    bool everybody = sig == SIGINT || sig == SIGQUIT || sig == SIGHUP;
    if (n == 1)
        kill(everybody ? -1 : command, sig);
}

void init_run(const struct init *init)
{
    const struct timespec at_once = {0};
    if (private_mounts() < 0 || loopback_up() < 0 || lab_up() < 0)
        _exit(1);
    setenv("NSTCP_LAB", "private", 1);
    int sig = sigtimedwait(init->watched, NULL, &at_once); /* ^C while we were building */
    if (sig > 0)
        _exit(128 + sig);
    sigset_t waited = *init->watched;
    sigaddset(&waited, SIGCHLD);
    int signals = signalfd(-1, &waited, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t command = start(init);
    if (signals < 0 || command < 0) {
        say_failed(init->argv[0], strerror(errno), "start");
        _exit(1);
    }
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                           {.fd = init->orders, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        if (poll(fds, 2, -1) < 0)
            continue;
        /* SIGCHLD says that there may be dead. The others come from the terminal, which has told
         * the command too. */
        while (fds[0].revents && read(signals, &info, sizeof(info)) == sizeof(info))
            bury(command);
        if (fds[1].revents)
            obey(command, init->orders);
    }
}

/* private.c - `run` and `shell`: a lab that lives as long as a command.
 *
 * Three processes: this one, which the caller started; process 1 of a new PID namespace
 * (init.c); the command. All three are in the caller's process group, so ^C and ^Z work as without
 * us. Only `shell` gets a group of its own: an interactive shell returns the terminal to the group
 * it was born in, and ours has no number in its PID namespace. The price of the PID namespace is a
 * /proc of its own; what it buys is that a daemon left behind by the command ends with it, and that
 * SIGKILL of this process ends the lab too: the pipe to process 1 breaks.
 */
#include "private.h"

#include "init.h"
#include "rights.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The signals passed on to the command, if they were not ignored when we began. */
static sigset_t watched_signals(void)
{
    static const int wanted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct sigaction old;
        if (sigaction(wanted[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaddset(&set, wanted[i]);
    }
    return set;
}

/* Waits for process 1. A signal that somebody sent is passed on; one that the kernel made at the
 * terminal (^C) has reached the command already. */
static int watch(pid_t init, int signals, int orders)
{
    for (;;) {
        struct signalfd_siginfo info;
        int status;
        if (waitpid(init, &status, WNOHANG) == init)
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        if (read(signals, &info, sizeof(info)) != sizeof(info))
            continue;
        unsigned char sig = (unsigned char)info.ssi_signo;
        if (sig != SIGCHLD && info.ssi_code != SI_KERNEL && write(orders, &sig, 1) < 0)
            continue; /* it is just ending */
    }
}

/* The terminal, if our process group has it; otherwise -1. */
static int terminal_held(void)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0 || tcgetpgrp(tty) == getpgrp())
        return tty;
    close(tty);
    return -1;
}

/* After a shell the terminal belongs to a group that is no more: take it back. */
static void terminal_take_back(int tty)
{
    sigset_t ttou;
    pid_t holder = tty < 0 ? -1 : tcgetpgrp(tty);
    if (holder <= 0 || holder == getpgrp() || kill(-holder, 0) == 0 || errno != ESRCH)
        return;
    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    sigprocmask(SIG_BLOCK, &ttou, NULL);
    if (tcsetpgrp(tty, getpgrp()) < 0)
        say_failed("/dev/tty", strerror(errno), "take the terminal back");
}

int private_run(char **argv, bool own_group)
{
    int orders[2], tty = terminal_held();
    sigset_t watched = watched_signals(), waited = watched, mask;

    signal(SIGCHLD, SIG_DFL);
    sigaddset(&waited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &waited, &mask);
    int signals = signalfd(-1, &waited, SFD_CLOEXEC);
    if (signals < 0 || pipe2(orders, O_CLOEXEC) < 0)
        return say_failed(argv[0], strerror(errno), "run"), 1;
    if (rights_unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) < 0)
        return 1;
    pid_t init = fork();
    if (init < 0)
        return say_failed(argv[0], strerror(errno), "run"), 1;
    if (init == 0) {
        close(orders[1]);
        close(signals);
        init_run(&(struct init){argv, orders[0], own_group ? tty : -1, &watched, &mask});
    }
    close(orders[0]);
    signal(SIGPIPE, SIG_IGN);
    int result = watch(init, signals, orders[1]);
    terminal_take_back(tty);
    return result;
}

/* main.c - the lab's front desk: finds the command and runs it.
 *
 * Exit status: 0 done, 1 failed, 2 wrong usage; run, shell and exec: that of the command.
 */
#include "exec.h"
#include "impair.h"
#include "lab.h"
#include "private.h"
#include "rights.h"
#include "say.h"
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: netns.sh [COMMAND]\n"
    "\n"
    "The lab: three network namespaces, joined by two veth pairs.\n"
    "\n"
    "  host1                    router                              host2\n"
    "  host1-veth1 ------------ router-veth1   router-veth2 ------- host2-veth1\n"
    "  10.0.0.1                 10.0.0.254     10.0.1.254           10.0.1.1\n"
    "  fd00:0:0:1::1            fd00:0:0:1::fe fd00:0:0:2::fe       fd00:0:0:2::1\n"
    "\n"
    "  up               make the lab, or mend it (root; this is the default)\n"
    "  down             remove what `up` made (root)\n"
    "  status           draw the lab as it is now\n"
    "  run CMD...       run CMD with a private lab, which ends with CMD (no root needed)\n"
    "  shell            the same with your $SHELL\n"
    "  exec NODE CMD... run CMD in host1, router or host2 of the lab around you, private or up\n"
    "  impair ...       make the router of the lab around you a bad one, see below\n"
    "\n"
    "Inside `run` and `shell`, `ip netns exec NODE CMD` works too, NSTCP_LAB=private is set, and\n"
    "no process, device or mount outlives CMD. Any number of them may run side by side.\n"
    "\n"
    "impair [--OPTION VALUE]... [--dir host1|host2|both] [--seed N]\n"
    "                   replaces what was set before, and says what it does. What goes to that\n"
    "                   host, or both ways, passes these stages, in this order:\n"
    "  --mtu N[,silent] longer packets are answered (ICMP fragmentation needed, packet too big)\n"
    "                   and dropped; silent: a black hole. N in octets of the IP packet. IPv4's\n"
    "                   without DF are dropped, too, not fragmented, and not answered\n"
    "  --rate R[,SIZE]  a link of that rate (9600bit, 56kbit, 100mbit, 1gbit, 14 octets of\n"
    "                   Ethernet counted with each packet); SIZE may go at once before it holds\n"
    "  --queue N        in front of the rate: 50p packets or 64kb (b, kb, mb) octets, then drop;\n"
    "                   1000p unless said. With a SIZE, --queue 0 is a policer\n"
    "  --loss P%        each packet for itself, or with\n"
    "  --burst N        in runs of N on average (Gilbert: lost in one of two states)\n"
    "  --corrupt P%     one bit anywhere in the packet is flipped\n"
    "  --dup P%         a copy comes right behind\n"
    "  --delay T        20ms; s, ms, us, ns\n"
    "  --jitter T       up to that more or less than the delay, uniformly; the order is kept\n"
    "  --reorder P%[,T] these are late by T more, 1ms unless said, and are overtaken\n"
    "                   P may have decimals. With several --dir, each is of what follows it. By\n"
    "                   the same seed the same packets, counted in each direction, have the same\n"
    "                   fate; without --seed one is chosen.\n"
    "impair             what is set, and what came of it in packets of at most the MTU; overflow\n"
    "                   are those dropped because they came too fast\n"
    "impair off         the kernel forwards again, and what is on its way arrives at once\n"
    "\n"
    "Only forwarded packets are impaired, not the router's own. It ends with the lab.\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage; run, shell and exec end with CMD's own (128\n"
    "plus the signal that killed it, 127 not found, 126 not executable).\n";

static int as_admin(const char *name, int job(void))
{
    return rights_admin() ? job() : say_refused("lab", EPERM, name);
}

static int cmd_up(char **argv)
{
    (void)argv;
    return as_admin("up", lab_up) < 0 ? 1 : 0;
}

static int cmd_down(char **argv)
{
    (void)argv;
    return as_admin("down", lab_down) < 0 ? 1 : 0;
}

static int cmd_status(char **argv)
{
    (void)argv;
    return status_draw() < 0 ? 1 : 0;
}

static int cmd_run(char **argv)
{
    return private_run(argv, false);
}

static int cmd_shell(char **argv)
{
    (void)argv;
    char *shell = getenv("SHELL");
    char *run[] = {shell && shell[0] ? shell : (char[]){"/bin/sh"}, NULL};
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "A private lab: ./setup/netns.sh exec host1 CMD, status; exit ends it.\n");
    return private_run(run, true);
}

static int cmd_exec(char **argv)
{
    return exec_in_node(argv[0], argv + 1);
}

static int cmd_help(char **argv)
{
    (void)argv;
    return fputs(help, stdout) < 0 ? 1 : 0;
}

static int cmd_impair(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    if (argc == 1 && strcmp(argv[0], "--help") == 0)
        return cmd_help(argv);
    return impair_command(argc + 1, argv - 1);
}

static const struct command {
    const char *name;
    int least, most; /* arguments; most -1: any number */
    int (*run)(char **argv);
} commands[] = {
    {"up", 0, 0, cmd_up},          {"down", 0, 0, cmd_down},   {"status", 0, 0, cmd_status},
    {"run", 1, -1, cmd_run},       {"shell", 0, 0, cmd_shell}, {"exec", 2, -1, cmd_exec},
    {"impair", 0, -1, cmd_impair}, {"--help", 0, 0, cmd_help}, {"-h", 0, 0, cmd_help},
    {"help", 0, 0, cmd_help},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "up";
    int count = argc > 2 ? argc - 2 : 0;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct command *c = &commands[i];
        if (strcmp(name, c->name) != 0)
            continue;
        if (count < c->least)
            return say_usage("%s: too few arguments", name);
        if (c->most >= 0 && count > c->most)
            return say_usage("%s: too many arguments", name);
        int result = c->run(argc > 1 ? argv + 2 : argv + 1);
        return fflush(stdout) == 0 ? result : 1;
    }
    return say_usage("%s: no such command", name);
}

/* exec.h - to run a command in one node of a lab. */
#ifndef NETNS_EXEC_H
#define NETNS_EXEC_H

/* Finds the network namespace of the node and enters it, for the command `doing`. 0, or -1 after
 * saying why. */
int exec_enter(const char *node, const char *doing);

/* Becomes argv in the node. Returns only if it cannot, what the program is to exit with: 1, 2 for
 * a node that is not in the topology; 127 or 126 if argv cannot be started. */
int exec_in_node(const char *node, char **argv);

/* Becomes argv. Never returns: exits with 127 or 126 after saying why. */
_Noreturn void exec_argv(char **argv);

#endif

/* ns.h - named network namespaces: to look at one, make it, enter it, remove it. */
#ifndef NETNS_NS_H
#define NETNS_NS_H

#include "nl.h"

#define NS_DIR "/run/netns"

enum ns_state {
    NS_NONE,    /* no such name */
    NS_STALE,   /* an empty file that nothing is mounted on: an `up` cut short */
    NS_OURS,    /* a network namespace with our mark */
    NS_FOREIGN, /* anything else: never touched */
    NS_UNKNOWN, /* could not look; errno says why */
};

struct ns {
    const char *name;
    int fd;       /* -1: not open */
    struct nl nl; /* a conversation with it */
};

/* The caller's own namespace, to come back to; -1 with errno set on failure. */
int ns_home(void);

/* Makes NS_DIR and shares its mounts, as ip-netns(8) does. 0, or -1 after saying why. */
int ns_dir_make(void);

/* Looks at the name; when it is ours, *ns is open afterwards (ns_close it). */
enum ns_state ns_look(struct ns *ns, const char *name, int home);

/* Makes the namespace, with its mark, and opens it. 0, or -1 after saying why. */
int ns_make(struct ns *ns, const char *name, int home);

/* Takes the name away; the namespace dies with the last process in it. 0, or -1 after saying why.
 */
int ns_remove(const char *name);

/* Moves the calling thread into the namespace; 0, or -1 with errno set. */
int ns_enter(int fd);

void ns_close(struct ns *ns);

#endif

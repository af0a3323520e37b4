/* rights.h - may the caller make namespaces and devices, and if not, a namespace where he may. */
#ifndef NETNS_RIGHTS_H
#define NETNS_RIGHTS_H

#include <stdbool.h>

/* CAP_SYS_ADMIN and CAP_NET_ADMIN in the caller's user namespace. */
bool rights_admin(void);

/* unshare(flags); without the rights for it, in a new user namespace whose root is the caller.
 * 0, or -1 after saying why. */
int rights_unshare(int flags);

#endif

/* nstcp_create: a stack on the machine we share with the kernel. In a file of its own, so that a
 * stack over another link and machine (nstcp_create_on) is linked without all that. */
#include <errno.h>
#include <pthread.h>

#include "api_priv.h"
#include "host_kernel.h"

int nstcp_create(struct nstcp **out, const struct nstcp_options *options, char why[NSTCP_WHY_MAX])
{
    char unread[NSTCP_WHY_MAX];
    struct link *link;
    struct host *host;
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    int err = host_kernel_create(&host, &link, why ? why : unread, NSTCP_WHY_MAX);
    int result = err ? -1 : nstcp_create_on(out, options, link, host, why);
    if (err)
        errno = -err;
    pthread_setcancelstate(cancel_state, NULL);
    return result;
}

/* The one table from the engine's errors to errno. */
#include <errno.h>

#include "api_priv.h"

int err_to_errno(int err)
{
    static const int table[] = {
        [-ERR_NONE] = 0,
        [-ERR_AGAIN] = EAGAIN,
        [-ERR_NOMEM] = ENOMEM,
        [-ERR_INVAL] = EINVAL,
        [-ERR_NOT_CONNECTED] = ENOTCONN,
        [-ERR_IN_USE] = EADDRINUSE,
        [-ERR_NO_PORT] = EADDRNOTAVAIL,
        [-ERR_ADDRESS] = EADDRNOTAVAIL,
        [-ERR_PIPE] = EPIPE,
        [-ERR_REFUSED] = ECONNREFUSED,
        [-ERR_RESET] = ECONNRESET,
        [-ERR_TIMEDOUT] = ETIMEDOUT,
        [-ERR_ABORTED] = ECONNABORTED,
        [-ERR_NETUNREACH] = ENETUNREACH,
        [-ERR_HOSTUNREACH] = EHOSTUNREACH,
        [-ERR_PROHIBITED] = EACCES,
        [-ERR_PROTOCOL] = EPROTO,
    };
    return -table[-err];
}

/* control.c - a socket of the abstract namespace, which every network namespace has its own of.
 *
 * See unix(7). So its name belongs to one lab, needs no file that could be left behind, and
 * holding it is what makes a forwarder the only one. One request and one answer per connection.
 */
#include "control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME     "nstcp-impair"
#define NAME_LEN ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NAME)))
#define WAIT_S   10

/* The first octet of the path is 0: that makes it abstract. */
static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0" NAME};

typedef int attach(int fd, const struct sockaddr *addr, socklen_t len);

/* A socket at the name, by bind or connect; -1 with errno set. */
static int open_socket(int flags, attach *how)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    if (fd < 0 || how(fd, (const struct sockaddr *)&address, NAME_LEN) == 0)
        return fd;
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

int control_listen(void)
{
    int fd = open_socket(SOCK_NONBLOCK, bind);
    if (fd >= 0 && listen(fd, SOMAXCONN) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int control_take(int client, struct control_request *request)
{
    return recv(client, request, sizeof(*request), MSG_DONTWAIT) == sizeof(*request) ? 0 : -1;
}

void control_answer(int client, const struct impair_state *state)
{
    send(client, state, sizeof(*state), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* recv(2), which a signal that stops and continues the process interrupts (signal(7)). */
static ssize_t receive(int fd, void *buf, size_t len)
{
    ssize_t n;
    do
        n = recv(fd, buf, len, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

/* 1: an answer; 0: the other end has gone; -1 with errno set. */
static int converse(int fd, const struct control_request *request, struct impair_state *state)
{
    char more;
    if (send(fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
        return errno == EPIPE ? 0 : -1;
    ssize_t n = receive(fd, state, sizeof(*state));
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return 0;
    if (n == sizeof(*state))
        return request->op != CONTROL_OFF || receive(fd, &more, 1) >= 0 || errno == ECONNRESET ? 1
                                                                                               : -1;
    if (n > 0)
        errno = EPROTO;
    return -1;
}

int control_ask(const struct control_request *request, struct impair_state *state)
{
    const struct timeval wait = {.tv_sec = WAIT_S};
    int fd = open_socket(0, connect);
    if (fd < 0)
        return errno == ECONNREFUSED ? 0 : -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    int result = converse(fd, request, state);
    int err = errno;
    close(fd);
    errno = err;
    return result;
}

/* topology.c - the book's world: host1 - router - host2, and the same in IPv6. */
#include "topology.h"

#include <string.h>
#include <sys/socket.h>

const int topo_af[TOPO_FAMILIES] = {[V4] = AF_INET, [V6] = AF_INET6};

const struct topo_node topo_node[TOPO_NODES] = {
    [HOST1] = {.name = "host1", .gateway = {"10.0.0.254", "fd00:0:0:1::fe"}},
    [ROUTER] = {.name = "router", .forwards = true},
    [HOST2] = {.name = "host2", .gateway = {"10.0.1.254", "fd00:0:0:2::fe"}},
};

const struct topo_link topo_link[TOPO_LINKS] = {
    [LEFT] = {.end = {{HOST1, "host1-veth1", {"10.0.0.1/24", "fd00:0:0:1::1/64"}},
                      {ROUTER, "router-veth1", {"10.0.0.254/24", "fd00:0:0:1::fe/64"}}}},
    [RIGHT] = {.end = {{ROUTER, "router-veth2", {"10.0.1.254/24", "fd00:0:0:2::fe/64"}},
                       {HOST2, "host2-veth1", {"10.0.1.1/24", "fd00:0:0:2::1/64"}}}},
};

int topo_find(const char *name)
{
    for (int i = 0; i < TOPO_NODES; i++)
        if (strcmp(topo_node[i].name, name) == 0)
            return i;
    return -1;
}

const char *topo_goal(int link)
{
    const struct topo_end *end = topo_link[link].end;
    return topo_node[end[end[0].node == ROUTER].node].name;
}

/* What setting and reading options have in common. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "api_priv.h"

/* Level and name of an option as one number, for switch. */
#define OPTION(level, name) ((int64_t)(level) << 32 | (unsigned)(name))

#define BUFFER_MIN    4096 /* SO_SNDBUF, SO_RCVBUF; octets */
#define BUFFER_MAX    (64 << 20)
#define KEEP_S_MAX    32767 /* TCP_KEEPIDLE, TCP_KEEPINTVL, as Linux */
#define KEEP_CNT_MAX  127
#define LINGER2_S     60  /* TCP_LINGER2: what tcp_config_default() has */
#define LINGER2_S_MAX 120 /* as Linux */
#define SYN_CNT_MAX   127 /* TCP_SYNCNT, as Linux */
#define SYN_CNT       7   /* so many go within the three minutes of MUST-23 */
#define CC_NAME_MAX   16  /* TCP_CONGESTION, as Linux: a name and octets of 0 */
#define MSS_MIN       88  /* TCP_MAXSEG, as Linux */
#define MSS_MAX       32767
#define MSS_UNKNOWN   536 /* TCP_MAXSEG without a connection (MUST-15), as Linux */

#endif

#include "deviations.h"
const struct deviation_text deviation_text[DEVIATIONS] = {
#define D(x) [x] = {#x, "", "", ""}
    D(DEV_SYN_TEXT),         D(DEV_REFUSED),         D(DEV_EDGE),
    D(DEV_SYN_AGAIN),        D(DEV_BACK_TO_LISTEN),  D(DEV_CLOSE_WAIT_RST),
    D(DEV_CLOSING_RST),      D(DEV_TIME_WAIT_RST),   D(DEV_KEEPS_UNREAD),
    D(DEV_SYN_RECEIVED_ACK), D(DEV_WINDOW_WITH_UNA), D(DEV_BEYOND_WINDOW),
    D(DEV_OLD_URGENT),       D(DEV_CUT_TEXT),        D(DEV_FIN_AT_EDGE),
    D(DEV_FIN_BEFORE_TEXT),  D(DEV_SECOND_FIN)};

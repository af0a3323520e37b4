#include "deviations.h"
const struct deviation_text deviation_text[DEVIATIONS] = {
#define D(x) [x] = {#x,"","",""}
D(DEV_SYN_TEXT),D(DEV_REFUSED),D(DEV_BEYOND_WINDOW),D(DEV_EDGE),D(DEV_SYN_AGAIN),D(DEV_TIME_WAIT_RST),D(DEV_WINDOW_WITH_UNA),D(DEV_FIN_AT_EDGE)
};

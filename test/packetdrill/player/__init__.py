"""A player of packetdrill's script language, for a stack behind the table of interface.h."""

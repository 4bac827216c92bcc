/*
 * A plugin for a client's pppd that hangs for ever when its link reaches -DPHASE=N (pppd's numbers, the same since 2.4): as
 * one whose user types no password, or that has crashed.
 */
#include <unistd.h>
#include "../pppd-plugin.h"

static void hang(void *argument, int phase)
{
	(void)argument;
	while (phase == PHASE)
		pause();
}

void plugin_init(void)
{
	at_each_phase(hang);
}

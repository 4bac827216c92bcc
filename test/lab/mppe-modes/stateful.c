/*
 * A plugin that makes this machine's pppd ask for stateful MPPE, as some clients do. pppd itself always asks for the
 * stateless mode and only accepts the other, so that two of them never agree on it.
 */
#include "../pppd-plugin.h"

/* pppd's CCP options begin with one byte each; MPPE is the seventh, and 4 in it means stateful. */
extern unsigned char ccp_wantoptions[];
enum { MPPE = 6, STATEFUL = 4 };

/* pppd assigns the byte while it reads its options, so it is changed later: when the link's phase changes. */
static void ask_for_stateful(void *argument, int phase)
{
	(void)argument;
	(void)phase;
	if (ccp_wantoptions[MPPE] != 0)
		ccp_wantoptions[MPPE] |= STATEFUL;
}

void plugin_init(void)
{
	at_each_phase(ask_for_stateful);
}

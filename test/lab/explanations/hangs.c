/*
 * A plugin for a client's pppd that hangs for ever when its link reaches -DPHASE=N (pppd's numbers, the same since 2.4): as
 * one whose user types no password, or that has crashed.
 */
#include <unistd.h>

/* pppd loads only plugins that name its own version (-DVERSION). */
char pppd_version[] = VERSION;

/* pppd 2.4 calls back by the first two, 2.5 by the last one; what this pppd does not have is null. */
struct notifier;
extern struct notifier *phasechange __attribute__((weak));
extern void add_notifier(struct notifier **list, void (*function)(void *, int), void *argument) __attribute__((weak));
enum notification { PHASE_CHANGE = 1 };
extern void ppp_add_notify(enum notification, void (*function)(void *, int), void *argument) __attribute__((weak));

static void hang(void *argument, int phase)
{
	(void)argument;
	while (phase == PHASE)
		pause();
}

void plugin_init(void)
{
	if (ppp_add_notify)
		ppp_add_notify(PHASE_CHANGE, hang, 0);
	else
		add_notifier(&phasechange, hang, 0);
}

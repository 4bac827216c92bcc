/*
 * For plugins of pppd that act when its link changes its phase. pppd loads only plugins that name its own version
 * (-DVERSION).
 */
char pppd_version[] = VERSION;

/* pppd 2.4 calls back by the first two, 2.5 by the last one; what this pppd does not have is null. */
struct notifier;
extern struct notifier *phasechange __attribute__((weak));
extern void add_notifier(struct notifier **list, void (*function)(void *, int), void *argument) __attribute__((weak));
enum notification { PHASE_CHANGE = 1 };
extern void ppp_add_notify(enum notification, void (*function)(void *, int), void *argument) __attribute__((weak));

/* Has the function called with null and the phase. */
static void at_each_phase(void (*function)(void *, int))
{
	if (ppp_add_notify)
		ppp_add_notify(PHASE_CHANGE, function, 0);
	else
		add_notifier(&phasechange, function, 0);
}

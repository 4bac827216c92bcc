/*
 * A plugin that makes this machine's pppd ask for stateful MPPE, as some clients do. pppd itself always asks for the
 * stateless mode and only accepts the other, so that two of them never agree on it.
 */

/* pppd loads only plugins that name its own version (-DVERSION). */
char pppd_version[] = VERSION;

/* pppd 2.4 calls back by the first two, 2.5 by the last one; what this pppd does not have is null. */
struct notifier;
extern struct notifier *phasechange __attribute__((weak));
extern void add_notifier(struct notifier **list, void (*function)(void *, int), void *argument) __attribute__((weak));
enum notification { PHASE_CHANGE = 1 };
extern void ppp_add_notify(enum notification, void (*function)(void *, int), void *argument) __attribute__((weak));

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
	if (ppp_add_notify)
		ppp_add_notify(PHASE_CHANGE, ask_for_stateful, 0);
	else
		add_notifier(&phasechange, ask_for_stateful, 0);
}

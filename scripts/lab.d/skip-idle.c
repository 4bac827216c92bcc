/*
 * Lets a lab guest's clock skip the time in which nothing runs in the guest, so that waiting for a timeout costs nothing.
 * While something runs, the clock runs like the machine's. scripts/lab compiles this file and preloads it into linux.uml.
 *
 * User-mode Linux reads its clock with clock_gettime(2), has one timer, and when idle waits for it in sigsuspend(2). Here it
 * does not wait: the clock is put forward by what is left of the timer, and the timer expires at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static const int64_t second = 1000000000;

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_timer_create)(clockid_t, struct sigevent *, timer_t *);
static int (*real_sigsuspend)(const sigset_t *);

static timer_t timer;
/* Nanoseconds. One number, because a signal's handler may read it at any time. */
static int64_t skipped;

static void *real(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

__attribute__((constructor)) static void find_real_functions(void) {
  real_clock_gettime = real("clock_gettime");
  real_timer_create = real("timer_create");
  real_sigsuspend = real("sigsuspend");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = real_clock_gettime(clock, now);
  int64_t time = now->tv_sec * second + now->tv_nsec + skipped;
  *now = (struct timespec){.tv_sec = time / second, .tv_nsec = time % second};
  return result;
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *created) {
  int result = real_timer_create(clock, event, created);
  timer = *created;
  return result;
}

int sigsuspend(const sigset_t *blocked) {
  struct itimerspec left;
  timer_gettime(timer, &left);
  int64_t time = left.it_value.tv_sec * second + left.it_value.tv_nsec;
  /* Nothing is left of a timer whose signal is pending. */
  if (time > 0) {
    skipped += time;
    left.it_value = (struct timespec){.tv_nsec = 1};
    timer_settime(timer, 0, &left, NULL);
  }
  return real_sigsuspend(blocked);
}

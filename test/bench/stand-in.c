/*
 * Stands in for pppd, as fast as it can: HDLC and as much of LCP as sets the ACCM to 0 on standard input, then echoes,
 * counts or makes data frames, as the generator says in shared memory. Like pppd it is given an options file
 * (`file PATH`); that names the shared memory. Every octet that comes is checked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>
#include "shared.h"

enum { REPEAT_MS = 1000, CHUNK = 16384 };

static struct shared *shared;
static struct slot *slot;
static uint8_t *packets;
/* Each packet's frame: one behind the other, and where each begins. */
static uint8_t *frames;
static uint32_t frame_at[PACKETS + 1];
static uint16_t packet_fcs[PACKETS];
static uint8_t output[1 << 17];
static size_t output_length;
static int request_acknowledged, peer_acknowledged;

/* Like pppd, whose frames the kernel moves: what cannot be written yet keeps nothing from being read. */
static void write_some(void) {
  ssize_t written = write(STDIN_FILENO, output, output_length);
  if (written < 0 && errno != EAGAIN) exit(0);
  if (written <= 0) return;
  output_length -= (size_t)written;
  memmove(output, output + written, output_length);
}

static void write_all(const uint8_t *from, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDIN_FILENO, from, length);
    if (written < 0 && errno != EAGAIN) exit(0);
    if (written < 0) {
      struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLOUT};
      poll(&ready, 1, -1);
      continue;
    }
    from += written;
    length -= (size_t)written;
  }
}

static void flush(void) {
  write_all(output, output_length);
  output_length = 0;
}

static void put_frame(const uint8_t *packet, unsigned length) {
  output_length = (size_t)(encode_frame(output + output_length, packet, length, 1) - output);
}

static void request_lcp(void) {
  uint8_t request[32];
  put_frame(request, lcp_request(request));
  flush();
}

static void recv_lcp(uint8_t *packet, unsigned length) {
  if (packet[4] == CONFIGURE_REQUEST) {
    packet[4] = CONFIGURE_ACK;
    put_frame(packet, length);
    flush();
    peer_acknowledged = 1;
  } else if (packet[4] == CONFIGURE_ACK) {
    request_acknowledged = 1;
  }
  if (request_acknowledged && peer_acknowledged) slot->open = 1;
}

static void make_frames(unsigned size) {
  packets = make_packets(size);
  frames = malloc(PACKETS * (2 * (size_t)size + 8));
  if (frames == NULL) exit(1);
  uint8_t *end = frames;
  for (unsigned index = 0; index < PACKETS; index++) {
    const uint8_t *packet = packets + (size_t)index * size;
    frame_at[index] = (uint32_t)(end - frames);
    packet_fcs[index] = (uint16_t)~fcs16(0xffff, packet, size);
    end = encode_frame(end, packet, size, 0);
  }
  frame_at[PACKETS] = (uint32_t)(end - frames);
}

/* A whole frame, unescaped, FCS included. */
static void recv_frame(uint8_t *frame, unsigned length) {
  if (length < 6) return;
  unsigned size = slot->size;
  if (is_lcp(frame, length)) {
    if (fcs16(0xffff, frame, length) == 0xf0b8) recv_lcp(frame, length - 2);
    return;
  }
  unsigned index = packet_index(frame);
  uint16_t fcs = (uint16_t)(frame[length - 2] | frame[length - 1] << 8);
  if (packets == NULL || length != size + 2 || fcs != packet_fcs[index] ||
      memcmp(frame, packets + (size_t)index * size, size) != 0) {
    slot->wrong++;
    return;
  }
  slot->received++;
  if (slot->mode != MODE_ECHO) return;
  unsigned frame_length = frame_at[index + 1] - frame_at[index];
  if (output_length + frame_length > sizeof output) return;
  memcpy(output + output_length, frames + frame_at[index], frame_length);
  output_length += frame_length;
}

static void recv_octets(const uint8_t *at, const uint8_t *end) {
  static uint8_t frame[2 * LONGEST];
  static unsigned length;
  static int escaped;
  for (; at < end; at++) {
    uint8_t octet = *at;
    if (octet == FLAG) {
      recv_frame(frame, length);
      length = 0;
      escaped = 0;
    } else if (octet == ESCAPE) {
      escaped = 1;
    } else {
      if (length == sizeof frame) length = 0;
      frame[length++] = escaped ? octet ^ 0x20 : octet;
      escaped = 0;
    }
  }
}

static void tell_generator(void) {
  slot->moved++;
  if (slot->waiting) syscall(SYS_futex, &slot->moved, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static _Noreturn void flood(void) {
  uint32_t none = 0;
  while (slot->go == none) syscall(SYS_futex, &slot->go, FUTEX_WAIT, none, NULL, NULL, 0);
  for (unsigned first = 0;;) {
    unsigned end = first + 1;
    while (end < PACKETS && frame_at[end + 1] - frame_at[first] <= CHUNK) end++;
    write_all(frames + frame_at[first], frame_at[end] - frame_at[first]);
    slot->sent += end - first;
    first = end % PACKETS;
  }
}

static void open_shared(const char *options) {
  char path[256] = "";
  FILE *file = fopen(options, "r");
  if (file == NULL || fscanf(file, "#%255s", path) != 1) die(options);
  fclose(file);
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) die(path);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (shared == MAP_FAILED) die("mmap");
  close(descriptor);
}

int main(int count, char **arguments) {
  for (int index = 1; index + 1 < count; index++)
    if (strcmp(arguments[index], "file") == 0) open_shared(arguments[index + 1]);
  if (shared == NULL) return 0;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET((size_t)shared->core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
  slot = &shared->slots[shared->started++ % MOST_SESSIONS];
  make_fcs_table();

  struct termios terminal;
  tcgetattr(STDIN_FILENO, &terminal);
  cfmakeraw(&terminal);
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  slot->process = getpid();
  slot->parent = getppid();
  request_lcp();
  if (slot->size > 0) make_frames(slot->size);

  static uint8_t input[1 << 16];
  for (;;) {
    if (slot->open && slot->mode == MODE_FLOOD) flood();
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN | (output_length > 0 ? POLLOUT : 0)};
    if (poll(&ready, 1, slot->open ? -1 : REPEAT_MS) == 0) {
      request_lcp();
      continue;
    }
    ssize_t length = read(STDIN_FILENO, input, sizeof input);
    if (length == 0 || (length < 0 && errno != EAGAIN)) return 0;
    if (length > 0) recv_octets(input, input + length);
    if (output_length > 0) write_some();
    if (slot->mode == MODE_SINK) tell_generator();
  }
}

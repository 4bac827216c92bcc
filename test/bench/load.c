/*
 * The load generator: clients that speak PPTP over TCP, and one of them GRE as fast as the work asks. Its GRE goes
 * through a TUN device whose other end is the server's namespace, so that no client's network stack takes part; TCP
 * is passed on from there to a second TUN, behind which the clients' namespace has its own stack.
 *
 * It counts in slices of 0.1 s and prints one JSON object; what to leave out is the reader's decision. Every packet
 * is checked octet by octet.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "shared.h"

enum { IP_HEADER = 20, GRE_HEADER = 16, PROTOCOL_GRE = 47, MOST_SLICES = 4096, MOST_TASKS = 64 };
enum { SLICE_NS = 100000000, WATCHED_PATH = 64, SETUP_MS = 60000, STALLED_MS = 200 };
static const char SERVER[] = "192.0.2.1";

enum work { WORK_NONE, WORK_ECHO, WORK_DOWNLINK, WORK_UPLINK, WORK_WINDOW, WORK_CEILING, WORK_HANDSHAKES, WORK_STORM };
static const char *const works[] = {"none",   "echo",    "downlink",   "uplink",
                                    "window", "ceiling", "handshakes", "storm"};

struct session {
  int tcp;
  uint32_t address; /* the client's, network order */
  uint16_t call_id, peer_call_id;
  uint32_t sequence; /* of the next packet sent */
  uint32_t received, acknowledged, acknowledgment_sent;
  int has_received, has_acknowledged, asked;
  int acked_by_peer, acked_peer;
  int64_t called_ns, first_frame_ns; /* when the call was asked for, and when pppd's first frame came */
};

/* The task files of one process: CPU time and how often each task ran. */
struct watched {
  int count;
  int files[MOST_TASKS];
};

struct usage {
  uint64_t cpu, delay, runs;
};

struct slice {
  int64_t ns;
  uint64_t stolen, packets, wrong, lost, sent;
  struct usage relay, idle;
  uint64_t generator, resident;
  uint64_t user, own_user; /* time in user space, ticks: of all processes, of those that take part */
};

static struct shared *shared;
static struct session sessions[MOST_SESSIONS];
static int session_count;
/* Every run's own: what an earlier run's server has sent last may still be under way. */
static unsigned first_call_id;
static int server_tun, client_tun;

static enum work work = WORK_NONE;
static unsigned size = 64, window = 32, idle_count, count = 200, pause_ms;
static double seconds = 1, warm = 0.5;
static int same_address, sampled;
static uint64_t most_packets = UINT64_MAX;

static uint8_t *packets;
static uint64_t received, wrong, lost, reordered, sent;
static unsigned next_index;
static int64_t last_arrival;

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* Packets. */

static void put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

static unsigned get16(const uint8_t *at) { return (unsigned)(at[0] << 8 | at[1]); }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static void put_ip_header(uint8_t *at, unsigned length, uint32_t from) {
  static const uint8_t start[] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, PROTOCOL_GRE, 0, 0};
  memcpy(at, start, sizeof start);
  put16(at + 2, length);
  memcpy(at + 12, &from, 4);
  in_addr_t to = inet_addr(SERVER);
  memcpy(at + 16, &to, 4);
  uint32_t sum = 0;
  for (int index = 0; index < IP_HEADER; index += 2) sum += get16(at + index);
  sum = (sum & 0xffff) + (sum >> 16);
  put16(at + 10, (uint16_t)~(sum + (sum >> 16)));
}

/* Sends a PPP packet, or with `length` 0 an acknowledgment alone. The IP header of the last length is kept. */
static void send_gre(struct session *session, const uint8_t *packet, unsigned length) {
  static uint8_t buffer[IP_HEADER + GRE_HEADER + LONGEST];
  static unsigned made_for;
  static uint32_t made_from;
  uint8_t *gre = buffer + IP_HEADER;
  int acknowledges = session->has_received;
  unsigned header = 8 + (length > 0 ? 4 : 0) + (acknowledges ? 4 : 0);
  unsigned total = IP_HEADER + header + length;
  if (made_for != total || made_from != session->address) {
    put_ip_header(buffer, total, session->address);
    made_for = total;
    made_from = session->address;
  }
  gre[0] = 0x20 | (length > 0 ? 0x10 : 0);
  gre[1] = (uint8_t)(1 | (acknowledges ? 0x80 : 0));
  put16(gre + 2, 0x880b);
  put16(gre + 4, length);
  put16(gre + 6, session->peer_call_id);
  uint8_t *at = gre + 8;
  if (length > 0) {
    put32(at, session->sequence++);
    at += 4;
  }
  if (acknowledges) {
    put32(at, session->received);
    at += 4;
    session->acknowledgment_sent = session->received;
  }
  memcpy(at, packet, length);
  if (write(server_tun, buffer, total) < 0 && errno != EAGAIN) die("write to TUN");
}

static void send_packet(struct session *session) {
  send_gre(session, packets + (size_t)next_index * size, size);
  next_index = (next_index + 1) % PACKETS;
  sent++;
}

static void recv_lcp(struct session *session, const uint8_t *packet, unsigned length) {
  uint8_t answer[64];
  if (packet[4] == CONFIGURE_ACK) session->acked_by_peer = 1;
  if (packet[4] != CONFIGURE_REQUEST || length > sizeof answer) return;
  memcpy(answer, packet, length);
  answer[4] = CONFIGURE_ACK;
  send_gre(session, answer, length);
  session->acked_peer = 1;
  if (!session->acked_by_peer) send_gre(session, answer, lcp_request(answer));
}

static void recv_gre(const uint8_t *packet, unsigned length) {
  const uint8_t *gre = packet + (packet[0] & 15) * 4;
  unsigned call = get16(gre + 6) - first_call_id;
  if (call >= (unsigned)session_count || get16(gre + 2) != 0x880b) return;
  struct session *session = &sessions[call];
  const uint8_t *at = gre + 8;
  unsigned payload = get16(gre + 4);
  uint32_t sequence = 0;
  if (gre[0] & 0x10) {
    sequence = get32(at);
    at += 4;
  }
  if (gre[1] & 0x80) {
    session->acknowledged = get32(at);
    session->has_acknowledged = 1;
    at += 4;
  }
  if (!(gre[0] & 0x10) || payload == 0) return;
  if ((size_t)(at - packet) + payload > length) {
    wrong++;
    return;
  }
  int32_t ahead = (int32_t)(sequence - session->received);
  if (session->has_received && ahead <= 0) {
    reordered++;
    if (lost > 0) lost--;
  } else {
    if (session->has_received) lost += (uint32_t)ahead - 1;
    session->received = sequence;
  }
  if (!session->has_received) session->first_frame_ns = now_ns();
  session->has_received = 1;
  if (is_lcp(at, payload)) {
    recv_lcp(session, at, payload);
    return;
  }
  if (payload != size || memcmp(at, packets + (size_t)packet_index(at) * size, size) != 0) {
    wrong++;
    return;
  }
  received++;
}

/* Reads what has come from the server, at most `most`; TCP goes on to the clients' stack. Returns how many came. */
static unsigned drain_server(unsigned most) {
  static uint8_t packet[65536];
  unsigned came = 0;
  while (came < most) {
    ssize_t length = read(server_tun, packet, sizeof packet);
    if (length < 0) break;
    came++;
    if (length < IP_HEADER || packet[0] >> 4 != 4) continue;
    if (packet[9] == PROTOCOL_GRE) recv_gre(packet, (unsigned)length);
    else if (write(client_tun, packet, (size_t)length) < 0 && errno != EAGAIN) die("write to the clients' TUN");
  }
  return came;
}

static void drain_clients(void) {
  static uint8_t packet[65536];
  ssize_t length;
  while ((length = read(client_tun, packet, sizeof packet)) > 0)
    if (packet[0] >> 4 == 4 && write(server_tun, packet, (size_t)length) < 0 && errno != EAGAIN) die("write to TUN");
}

/* Waits for `descriptor` (or only passes packets on, with -1), at most until `deadline`; true when it is ready. */
static int wait_for(int descriptor, short events, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - now_ns();
    struct pollfd ready[] = {{.fd = server_tun, .events = POLLIN},
                             {.fd = client_tun, .events = POLLIN},
                             {.fd = descriptor, .events = events}};
    struct timespec timeout = {.tv_sec = left > 0 ? left / 1000000000 : 0, .tv_nsec = left > 0 ? left % 1000000000 : 0};
    if (ppoll(ready, 3, &timeout, NULL) < 0) die("poll");
    if (ready[0].revents) drain_server(64);
    if (ready[1].revents) drain_clients();
    if (ready[2].revents) return 1;
    if (left <= 0 || (descriptor < 0 && (ready[0].revents || ready[1].revents))) return 0;
  }
}

/* The control connection. */

static void put_control_header(uint8_t *at, unsigned length, unsigned type) {
  memset(at, 0, length);
  put16(at, length);
  put16(at + 2, 1);
  put32(at + 4, 0x1a2b3c4d);
  put16(at + 8, type);
}

/* The first two sessions are of one address, whatever the others are. */
static uint32_t client_address(int index) {
  uint32_t host = same_address || index == 0 ? 1 : (uint32_t)(index - 1) % 250 + 1;
  return htonl((198u << 24) | (51u << 16) | (100u << 8) | host);
}

/* Reads exactly `length` octets; false when the server has closed the connection or is silent until the deadline. */
static int recv_control(int tcp, uint8_t *message, unsigned length, int64_t deadline) {
  for (unsigned at = 0; at < length;) {
    if (!wait_for(tcp, POLLIN, deadline)) return 0;
    ssize_t came = recv(tcp, message + at, length - at, MSG_DONTWAIT);
    if (came == 0 || (came < 0 && errno != EAGAIN)) return 0;
    if (came > 0) at += (unsigned)came;
  }
  return 1;
}

static int begin_connect(int index) {
  struct session *session = &sessions[index];
  session->address = client_address(index);
  session->call_id = (uint16_t)(first_call_id + (unsigned)index);
  session->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = session->address};
  if (bind(session->tcp, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
  int on = 1;
  setsockopt(session->tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1723), .sin_addr.s_addr = inet_addr(SERVER)};
  if (connect(session->tcp, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  return session->tcp;
}

static void send_start(int tcp) {
  uint8_t start[156];
  put_control_header(start, sizeof start, 1);
  put16(start + 12, 0x0100);
  put32(start + 16, 3);
  put32(start + 20, 3);
  if (send(tcp, start, sizeof start, MSG_NOSIGNAL) != sizeof start) die("send the start request");
}

static void send_call(const struct session *session) {
  uint8_t call[168];
  put_control_header(call, sizeof call, 7);
  put16(call + 12, session->call_id);
  put32(call + 16, 300);
  put32(call + 20, 100000000);
  put32(call + 24, 3);
  put32(call + 28, 3);
  put16(call + 32, 64);
  if (send(session->tcp, call, sizeof call, MSG_NOSIGNAL) != sizeof call) die("send the call request");
}

/* From connect to the call's reply; writes how long each reply took. False when the server refuses. */
static int open_session(int index, int64_t *start_ns, int64_t *call_ns) {
  struct session *session = &sessions[index];
  int64_t deadline = now_ns() + SETUP_MS * 1000000ll;
  int tcp = begin_connect(index);
  if (!wait_for(tcp, POLLOUT, deadline)) return 0;
  int64_t begun = now_ns();
  send_start(tcp);
  uint8_t reply[156];
  if (!recv_control(tcp, reply, 156, deadline)) return 0;
  *start_ns = now_ns() - begun;
  session->called_ns = now_ns();
  send_call(session);
  if (!recv_control(tcp, reply, 32, deadline) || reply[16] != 1) return 0;
  *call_ns = now_ns() - session->called_ns;
  session->peer_call_id = (uint16_t)get16(reply + 12);
  return 1;
}

/* A session whose LCP is agreed. */
static void set_up(int index, uint32_t mode) {
  struct slot *slot = &shared->slots[index];
  slot->mode = mode;
  slot->size = mode == MODE_IDLE ? 0 : size;
  session_count = index + 1;
  int64_t unused;
  if (!open_session(index, &unused, &unused)) {
    fprintf(stderr, "session %d: the server refused it\n", index);
    exit(1);
  }
  struct session *session = &sessions[index];
  for (int64_t deadline = now_ns() + SETUP_MS * 1000000ll; !slot->open || !session->acked_peer;) {
    wait_for(-1, 0, now_ns() + 1000000);
    if (session->acked_peer && !session->acked_by_peer && !session->asked) {
      uint8_t request[32];
      session->asked = 1;
      send_gre(session, request, lcp_request(request));
    }
    if (now_ns() > deadline) {
      fprintf(stderr, "session %d: LCP did not open\n", index);
      exit(1);
    }
  }
}

/* Observation. */

static struct watched relay_tasks, idle_tasks[MOST_SESSIONS];

static void watch(struct watched *watched, int32_t process) {
  char path[WATCHED_PATH * 2];
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *directory = opendir(path);
  if (directory == NULL) die(path);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL && watched->count < MOST_TASKS;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/schedstat", process, entry->d_name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) watched->files[watched->count++] = file;
  }
  closedir(directory);
}

static void add_usage(const struct watched *watched, struct usage *usage) {
  for (int index = 0; index < watched->count; index++) {
    char text[96];
    ssize_t length = pread(watched->files[index], text, sizeof text - 1, 0);
    unsigned long long cpu, delay, runs;
    if (length <= 0) continue;
    text[length] = 0;
    if (sscanf(text, "%llu %llu %llu", &cpu, &delay, &runs) != 3) continue;
    usage->cpu += cpu;
    usage->delay += delay;
    usage->runs += runs;
  }
}

/* Time of all processors, in ticks of 10 ms: stolen, and in user space of any process. */
static void read_processors(uint64_t *stolen_ticks, uint64_t *user_ticks) {
  static int file = -1;
  if (file < 0) file = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  char text[256];
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  unsigned long long user = 0, nice = 0, stolen = 0;
  if (length > 0) {
    text[length] = 0;
    sscanf(text, "cpu %llu %llu %*u %*u %*u %*u %*u %llu", &user, &nice, &stolen);
  }
  *stolen_ticks = stolen;
  *user_ticks = user + nice;
}

/* A process's ticks in user space. */
static uint64_t user_ticks_of(int32_t process) {
  char path[WATCHED_PATH], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  unsigned long long user = 0;
  char *after_name = strrchr(text, ')');
  if (after_name != NULL) sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu", &user);
  return user;
}

/* A figure of a process in KiB, by its name in /proc/PID/FILE; 0 when it is not there. */
static uint64_t memory_of(int32_t process, const char *name, const char *key) {
  char path[WATCHED_PATH], line[128];
  snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  FILE *file = fopen(path, "re");
  unsigned long long found = 0;
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), ": %llu", &found);
  fclose(file);
  return found;
}

static struct slice slices[MOST_SLICES];
static unsigned slice_count;
static unsigned good_slices;
static int64_t next_slice, end_of_work;

/* What a slice may have of others' doing, ms; beyond that it is left out. */
enum { MOST_STOLEN = 20, MOST_FOREIGN = 30, TICK_MS = 10, PATIENCE = 4 };

static int64_t stolen_ms(unsigned index) {
  return (int64_t)(slices[index].stolen - slices[index - 1].stolen) * TICK_MS;
}

/* Others' time in user space. What idle sessions' workers use counts as theirs altogether. */
static int64_t foreign_ms(unsigned index) {
  const struct slice *slice = &slices[index], *before = &slices[index - 1];
  int64_t foreign = (int64_t)(slice->user - before->user) - (int64_t)(slice->own_user - before->own_user);
  foreign = foreign * TICK_MS - (int64_t)(slice->idle.cpu - before->idle.cpu) / 1000000;
  return foreign > 0 ? foreign : 0;
}

static int is_good(unsigned index) {
  return stolen_ms(index) < MOST_STOLEN && foreign_ms(index) < MOST_FOREIGN;
}

static void look(struct slice *slice) {
  memset(slice, 0, sizeof *slice);
  slice->ns = now_ns();
  struct slot *slot = &shared->slots[0];
  read_processors(&slice->stolen, &slice->user);
  slice->own_user = user_ticks_of(getpid()) + user_ticks_of(slot->parent) + user_ticks_of(slot->process);
  slice->packets = work == WORK_UPLINK || work == WORK_WINDOW ? slot->received : received;
  slice->wrong = wrong + slot->wrong + reordered;
  slice->lost = lost;
  slice->sent = work == WORK_DOWNLINK ? slot->sent : sent;
  add_usage(&relay_tasks, &slice->relay);
  for (unsigned index = 1; index <= idle_count; index++) add_usage(&idle_tasks[index], &slice->idle);
  struct timespec own;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  slice->resident = memory_of(slot->parent, "status", "VmRSS");
  slice->generator = (uint64_t)own.tv_sec * 1000000000ull + (uint64_t)own.tv_nsec;
}

/* Told twice, the relay samples what it allocates in between (sampler.ts). */
static void sample_relay(void) {
  if (sampled && kill(shared->slots[0].parent, SIGUSR2) < 0) die("kill");
}

/* True while there is work to do: until there are good slices enough, or patience is at its end. */
static int goes_on(void) {
  int64_t now = now_ns();
  if (now < next_slice) return 1;
  drain_clients();
  if (slice_count == MOST_SLICES) return 0;
  look(&slices[slice_count++]);
  if (slice_count == 1) sample_relay();
  if (slice_count > 1 && is_good(slice_count - 1)) good_slices++;
  next_slice = now + SLICE_NS;
  return good_slices * (uint64_t)SLICE_NS < (uint64_t)(seconds * 1e9) && now < end_of_work && received < most_packets;
}

/* The works. */

static void wait_server(int milliseconds) {
  struct pollfd ready = {.fd = server_tun, .events = POLLIN};
  poll(&ready, 1, milliseconds);
}

/* Nothing has come for long: waits for what is late after all, so that it is not counted twice. */
static void settle_stall(const volatile uint64_t *arrived) {
  for (uint64_t before = *arrived - 1; before != *arrived;) {
    before = *arrived;
    for (int64_t until = now_ns() + STALLED_MS * 1000000ll; now_ns() < until;) {
      drain_server(64);
      wait_server(STALLED_MS / 10);
    }
  }
  last_arrival = now_ns();
}

/* `window` packets are always under way. */
static void run_echo(void) {
  struct session *session = &sessions[0];
  uint64_t base = received;
  uint64_t launched = 0;
  while (goes_on()) {
    while (launched - (received - base) < window) {
      send_packet(session);
      launched++;
    }
    if (drain_server(window) > 0) {
      last_arrival = now_ns();
      continue;
    }
    wait_server(10);
    if (now_ns() - last_arrival > STALLED_MS * 1000000ll) {
      settle_stall(&received);
      lost += launched - (received - base);
      launched = received - base;
    }
  }
}

static void run_downlink(void) {
  struct session *session = &sessions[0];
  shared->slots[0].go = 1;
  syscall(SYS_futex, &shared->slots[0].go, FUTEX_WAKE, 1, NULL, NULL, 0);
  while (goes_on()) {
    if (drain_server(32) == 0) wait_server(10);
    if (session->has_received && session->received - session->acknowledgment_sent >= 32) send_gre(session, NULL, 0);
  }
}

/* As many packets under way as are never lost, whatever the server acknowledges. */
static void run_uplink(void) {
  struct slot *slot = &shared->slots[0];
  struct session *session = &sessions[0];
  uint64_t base = slot->received, launched = 0;
  while (goes_on()) {
    uint32_t moved = slot->moved;
    uint64_t arrived = slot->received - base;
    if (launched - arrived <= window / 2) {
      while (launched - arrived < window) {
        send_packet(session);
        launched++;
      }
    }
    drain_server(64);
    if (slot->received - base != arrived) {
      last_arrival = now_ns();
      continue;
    }
    struct timespec timeout = {.tv_nsec = 10000000};
    slot->waiting = 1;
    syscall(SYS_futex, &slot->moved, FUTEX_WAIT, moved, &timeout, NULL, 0);
    slot->waiting = 0;
    if (now_ns() - last_arrival > STALLED_MS * 1000000ll) {
      settle_stall((uint64_t *)&slot->received);
      lost += launched - (slot->received - base);
      launched = slot->received - base;
    }
  }
}

/* Sends only what is acknowledged (RFC 2637 §4.2). */
static void run_window(void) {
  struct session *session = &sessions[0];
  while (goes_on()) {
    int64_t now = now_ns();
    while (session->sequence - (session->has_acknowledged ? session->acknowledged + 1 : 0) < window) {
      send_packet(session);
      last_arrival = now;
    }
    if (drain_server(64) == 0) wait_server(10);
    if (now - last_arrival > 1000000000ll) {
      /* An acknowledgment was lost: go on as a client does after its timeout. */
      session->acknowledged = session->sequence - 1;
      lost++;
    }
  }
}

/* What the generator can send at most, to a call that nobody has. */
static void run_ceiling(void) {
  struct session *session = &sessions[0];
  session->address = client_address(0);
  while (goes_on()) {
    for (unsigned index = 0; index < 64; index++) send_packet(session);
    received = sent;
  }
}

static int by_value(const void *left, const void *right) {
  int64_t difference = *(const int64_t *)left - *(const int64_t *)right;
  return difference < 0 ? -1 : difference > 0;
}

static void print_times(const char *name, int64_t *times, unsigned number) {
  qsort(times, number, sizeof *times, by_value);
  printf("\"%s\":[", name);
  for (unsigned index = 0; index < number; index++) printf("%s%.1f", index ? "," : "", (double)times[index] / 1000);
  printf("]");
}

/* Waits for pppd's first frame; returns how long after the call's request it came. */
static int64_t await_frame(const struct session *session) {
  for (int64_t deadline = now_ns() + SETUP_MS * 1000000ll; session->first_frame_ns == 0;) {
    wait_for(-1, 0, now_ns() + 1000000);
    if (now_ns() > deadline) {
      fprintf(stderr, "no frame of pppd has come\n");
      exit(1);
    }
  }
  return session->first_frame_ns - session->called_ns;
}

/* One client after the other; each leaves before the next comes. Those that pause wait for pppd's first frame too. */
static void run_handshakes(void) {
  int64_t *start = calloc(count, sizeof *start), *call = calloc(count, sizeof *call);
  int64_t *frame = calloc(count, sizeof *frame);
  if (start == NULL || call == NULL || frame == NULL) exit(1);
  unsigned served = 0;
  int64_t begun = now_ns(), paused = 0;
  session_count = 1;
  for (unsigned index = 0; index < count; index++) {
    if (pause_ms > 0) {
      int64_t until = now_ns() + pause_ms * 1000000ll;
      paused += pause_ms * 1000000ll;
      while (now_ns() < until) wait_for(-1, 0, until);
    }
    /* The last one's frames may still be under way. */
    first_call_id = first_call_id % (65535 - MOST_SESSIONS) + 1;
    memset(&sessions[0], 0, sizeof sessions[0]);
    if (open_session(0, &start[served], &call[served])) {
      if (pause_ms > 0) frame[served] = await_frame(&sessions[0]);
      served++;
    }
    close(sessions[0].tcp);
    wait_for(-1, 0, 0);
  }
  double took = (double)(now_ns() - begun - paused) / 1e9;
  printf("{\"served\":%u,\"seconds\":%.4f,", served, took);
  print_times("start", start, served);
  printf(",");
  print_times("call", call, served);
  printf(",");
  print_times("frame", frame, pause_ms > 0 ? served : 0);
  printf("}\n");
}

/* All clients at once; when each had its call's reply. Session 0 is there already and asks for echoes meanwhile. */
static void run_storm(void) {
  enum { WANTS_CONNECT, WANTS_START, WANTS_CALL, DONE, REFUSED };
  static uint8_t state[MOST_SESSIONS], reply[MOST_SESSIONS][156];
  static unsigned got[MOST_SESSIONS];
  int64_t *served_at = calloc(count, sizeof *served_at);
  struct pollfd *ready = calloc(count + 3, sizeof *ready);
  if (served_at == NULL || ready == NULL) exit(1);
  unsigned served = 0, refused = 0;
  int64_t worst_echo = 0, echo_sent = 0;
  uint8_t echo[16], echo_reply[20];
  put_control_header(echo, sizeof echo, 5);
  set_up(0, MODE_IDLE);
  int64_t begun = now_ns(), deadline = begun + (int64_t)(seconds * 1e9), last_echo = begun;
  session_count = (int)count + 1;
  for (unsigned index = 1; index <= count; index++) begin_connect((int)index);
  while (served + refused < count && now_ns() < deadline) {
    ready[0] = (struct pollfd){.fd = server_tun, .events = POLLIN};
    ready[1] = (struct pollfd){.fd = client_tun, .events = POLLIN};
    ready[2] = (struct pollfd){.fd = sessions[0].tcp, .events = POLLIN};
    for (unsigned index = 1; index <= count; index++) {
      int waits = state[index] < DONE;
      ready[index + 2] = (struct pollfd){.fd = waits ? sessions[index].tcp : -1,
                                         .events = state[index] == WANTS_CONNECT ? POLLOUT : POLLIN};
    }
    poll(ready, count + 3, 50);
    int64_t now = now_ns();
    drain_server(256);
    drain_clients();
    if (echo_sent == 0 && now - last_echo > 20000000) {
      if (send(sessions[0].tcp, echo, sizeof echo, MSG_NOSIGNAL) < 0) die("send an echo request");
      echo_sent = last_echo = now;
    }
    if (echo_sent != 0 && now - echo_sent > worst_echo) worst_echo = now - echo_sent;
    if (ready[2].revents && recv(sessions[0].tcp, echo_reply, sizeof echo_reply, MSG_DONTWAIT) > 0) echo_sent = 0;
    for (unsigned index = 1; index <= count; index++) {
      if (ready[index + 2].revents == 0) continue;
      int tcp = sessions[index].tcp;
      if (state[index] == WANTS_CONNECT) {
        if (ready[index + 2].revents & (POLLERR | POLLHUP)) {
          state[index] = REFUSED;
          refused++;
          continue;
        }
        send_start(tcp);
        state[index] = WANTS_START;
        continue;
      }
      unsigned wanted = state[index] == WANTS_START ? 156 : 32;
      ssize_t came = recv(tcp, reply[index] + got[index], wanted - got[index], MSG_DONTWAIT);
      if (came < 0 && errno == EAGAIN) continue;
      if (came <= 0) {
        state[index] = REFUSED;
        refused++;
        continue;
      }
      got[index] += (unsigned)came;
      if (got[index] < wanted) continue;
      got[index] = 0;
      if (state[index] == WANTS_START) {
        send_call(&sessions[index]);
        state[index] = WANTS_CALL;
      } else if (reply[index][16] == 1) {
        state[index] = DONE;
        served_at[served++] = now - begun;
      } else {
        state[index] = REFUSED;
        refused++;
      }
    }
  }
  printf("{\"served\":%u,\"refused\":%u,\"worstEcho\":%.1f,", served, refused, (double)worst_echo / 1000);
  print_times("servedAt", served_at, served);
  printf("}\n");
}

static void print_slices(void) {
  printf("{\"relay\":%d,\"idle\":[", shared->slots[0].parent);
  for (unsigned index = 1; index <= idle_count; index++)
    printf("%s%d", index > 1 ? "," : "", shared->slots[index].parent);
  uint64_t idle_memory = 0;
  for (unsigned index = 1; index <= idle_count; index++)
    idle_memory += memory_of(shared->slots[index].parent, "smaps_rollup", "Pss");
  printf("],\"idleMemory\":%.1f,\"slices\":[", idle_count > 0 ? (double)idle_memory / idle_count : 0);
  for (unsigned index = 1; index < slice_count; index++) {
    struct slice *slice = &slices[index], *before = &slices[index - 1];
#define SINCE(field) (unsigned long long)(slice->field - before->field)
    printf("%s{\"ns\":%llu,\"good\":%s,\"stolen\":%lld,\"foreign\":%lld,\"packets\":%llu,\"wrong\":%llu,\"lost\":%llu,\"sent\":%llu,"
           "\"cpu\":%llu,\"delay\":%llu,\"runs\":%llu,\"idleCpu\":%llu,\"idleRuns\":%llu,\"generator\":%llu,"
           "\"resident\":%llu}",
           index > 1 ? "," : "", SINCE(ns), is_good(index) ? "true" : "false", (long long)stolen_ms(index),
           (long long)foreign_ms(index), SINCE(packets), SINCE(wrong), SINCE(lost), SINCE(sent),
           SINCE(relay.cpu), SINCE(relay.delay), SINCE(relay.runs), SINCE(idle.cpu), SINCE(idle.runs),
           SINCE(generator), (unsigned long long)slice->resident);
  }
  printf("]}\n");
}

/* Setting up. */

static int open_tun(const char *namespace, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int net = open(path, O_RDONLY | O_CLOEXEC);
  if (net < 0 || setns(net, CLONE_NEWNET) < 0) die(path);
  close(net);
  int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tun < 0) die("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(tun, TUNSETIFF, &request) < 0) die(name);
  return tun;
}

static void open_shared(const char *path, int core) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, sizeof *shared) < 0) die(path);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) die("mmap");
  close(file);
  shared->core = core;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET((size_t)core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) < 0) die("sched_setaffinity");
}

/* A worker that has just begun its session goes on for ten seconds, V8 has things to put away: waits until none does. */
static void await_idle(void) {
  enum { LOOK_MS = 500, MOST_LOOKS = 80 };
  for (int looks = 0; idle_count > 0 && looks < MOST_LOOKS; looks++) {
    struct usage before = {0}, after = {0};
    for (unsigned index = 1; index <= idle_count; index++) add_usage(&idle_tasks[index], &before);
    for (int64_t until = now_ns() + LOOK_MS * 1000000ll; now_ns() < until;) wait_for(-1, 0, until);
    for (unsigned index = 1; index <= idle_count; index++) add_usage(&idle_tasks[index], &after);
    if (after.runs - before.runs < idle_count) return;
  }
}

static void run_on_sessions(void) {
  static const uint32_t modes[] = {[WORK_NONE] = MODE_IDLE,     [WORK_ECHO] = MODE_ECHO,   [WORK_DOWNLINK] = MODE_FLOOD,
                                   [WORK_UPLINK] = MODE_SINK,   [WORK_WINDOW] = MODE_SINK, [WORK_CEILING] = MODE_IDLE};
  if (work != WORK_CEILING) {
    set_up(0, modes[work]);
    watch(&relay_tasks, shared->slots[0].parent);
    for (unsigned index = 1; index <= idle_count; index++) {
      set_up((int)index, MODE_IDLE);
      watch(&idle_tasks[index], shared->slots[index].parent);
    }
  }
  await_idle();
  last_arrival = now_ns();
  next_slice = last_arrival + (int64_t)(warm * 1e9);
  end_of_work = next_slice + (int64_t)(PATIENCE * seconds * 1e9);
  if (work == WORK_ECHO) run_echo();
  else if (work == WORK_DOWNLINK) run_downlink();
  else if (work == WORK_UPLINK) run_uplink();
  else if (work == WORK_WINDOW) run_window();
  else if (work == WORK_CEILING) run_ceiling();
  else while (goes_on()) wait_for(-1, 0, now_ns() + 10000000);
  sample_relay();
  print_slices();
}

int main(int argument_count, char **arguments) {
  static const struct option options[] = {
      {"server", 1, NULL, 's'}, {"clients", 1, NULL, 'c'}, {"shared", 1, NULL, 'm'},  {"core", 1, NULL, 'k'},
      {"work", 1, NULL, 'w'},   {"size", 1, NULL, 'z'},    {"window", 1, NULL, 'n'},  {"seconds", 1, NULL, 't'},
      {"warm", 1, NULL, 'u'},   {"idle", 1, NULL, 'i'},    {"same", 0, NULL, 'a'},    {"count", 1, NULL, 'x'},
      {"pause", 1, NULL, 'p'},  {"packets", 1, NULL, 'q'}, {"sampled", 0, NULL, 'y'},
      {NULL, 0, NULL, 0},
  };
  const char *server = "", *clients = "", *memory = "";
  int core = 0;
  for (int option; (option = getopt_long(argument_count, arguments, "", options, NULL)) != -1;) {
    switch (option) {
      case 's': server = optarg; break;
      case 'c': clients = optarg; break;
      case 'm': memory = optarg; break;
      case 'k': core = atoi(optarg); break;
      case 'w':
        for (unsigned index = 0; index < sizeof works / sizeof *works; index++)
          if (strcmp(optarg, works[index]) == 0) work = (enum work)index;
        break;
      case 'z': size = (unsigned)atoi(optarg); break;
      case 'n': window = (unsigned)atoi(optarg); break;
      case 't': seconds = atof(optarg); break;
      case 'u': warm = atof(optarg); break;
      case 'i': idle_count = (unsigned)atoi(optarg); break;
      case 'a': same_address = 1; break;
      case 'y': sampled = 1; break;
      case 'x': count = (unsigned)atoi(optarg); break;
      case 'p': pause_ms = (unsigned)atoi(optarg); break;
      case 'q': most_packets = strtoull(optarg, NULL, 10); break;
      default: return 2;
    }
  }
  if (size > LONGEST || idle_count >= MOST_SESSIONS || count >= MOST_SESSIONS) return 2;
  first_call_id = 1 + (unsigned)getpid() % (65535 - MOST_SESSIONS);
  open_shared(memory, core);
  server_tun = open_tun(server, "server");
  client_tun = open_tun(clients, "clients");
  packets = make_packets(size);
  if (work == WORK_HANDSHAKES) run_handshakes();
  else if (work == WORK_STORM) run_storm();
  else run_on_sessions();
  fflush(stdout);
  return 0;
}

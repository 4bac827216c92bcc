/*
 * The floor: a PPTP server that does nothing but what the relay's work cannot do without, in C. One process a client,
 * batched system calls, HDLC by tables, GRE numbers put and read; no order restored, nothing checked, one call a
 * client. What it reaches in a run is what can be reached there. For nothing else: it trusts everybody.
 *
 *     floor PPPD OPTIONS      listens on 192.0.2.1:1723, runs `PPPD file OPTIONS` for each call
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "shared.h"

enum { BATCH = 64, STRIDE = 2112, HEADROOM = 64, READ_LENGTH = 4096, QUEUE = 1 << 19, ROUNDS = 8, ENOUGH = 16 };
enum { ACKNOWLEDGE_AFTER_MS = 10 };

static uint16_t call_id, peer_call_id;
static int gre, pty, epoll;
static int control_characters = 1; /* escaped until LCP is agreed */

static uint8_t receive_slots[BATCH][STRIDE], send_slots[BATCH][STRIDE];
static struct iovec receive_vectors[BATCH], send_vectors[BATCH];
static struct mmsghdr receive_messages[BATCH], send_messages[BATCH];
static uint8_t queue[QUEUE];
static size_t queue_head, queue_tail;

static uint32_t next_sequence, highest, acknowledged;
static int has_received;
/* The frame that is being read from the pty lies in the slot that comes next. */
static unsigned frame_count, frame_length;
static int frame_escaped, frame_began;

static uint16_t tables[8][256];
static uint8_t is_special[256];

static void make_tables(void) {
  make_fcs_table();
  for (unsigned value = 0; value < 256; value++) {
    tables[0][value] = fcs_table[value];
    for (int table = 1; table < 8; table++)
      tables[table][value] =
          (uint16_t)(tables[table - 1][value] >> 8 ^ fcs_table[tables[table - 1][value] & 0xff]);
  }
  is_special[FLAG] = is_special[ESCAPE] = 1;
}

static uint16_t fast_fcs(const uint8_t *at, size_t length) {
  uint16_t fcs = 0xffff;
  for (; length >= 8; at += 8, length -= 8) {
    fcs = tables[7][(at[0] ^ fcs) & 0xff] ^ tables[6][at[1] ^ fcs >> 8] ^ tables[5][at[2]] ^ tables[4][at[3]] ^
          tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
  }
  return fcs16(fcs, at, length);
}

typedef uint8_t vector __attribute__((vector_size(16)));

/* Octets from `at` on that are neither flag nor escape, 16 at a time; may read 15 beyond. */
static size_t plain_run(const uint8_t *at, size_t length) {
  for (size_t done = 0; done < length; done += 16) {
    vector octets;
    memcpy(&octets, at + done, 16);
    vector found = (vector)(octets == FLAG) | (vector)(octets == ESCAPE);
    uint64_t halves[2];
    memcpy(halves, &found, 16);
    if ((halves[0] | halves[1]) == 0) continue;
    size_t first = halves[0] ? (size_t)__builtin_ctzll(halves[0]) / 8 : 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
    return done + first < length ? done + first : length;
  }
  return length;
}

static void encode(const uint8_t *packet, unsigned length) {
  uint8_t *to = queue + queue_tail;
  if (control_characters) {
    to = encode_frame(to, packet, length, 1);
  } else {
    uint16_t fcs = (uint16_t)~fast_fcs(packet, length);
    *to++ = FLAG;
    for (unsigned at = 0; at < length;) {
      size_t run = plain_run(packet + at, length - at);
      memcpy(to, packet + at, run);
      to += run;
      at += (unsigned)run;
      if (at < length) to = put_escaped(to, packet[at++], 0);
    }
    to = put_escaped(to, (uint8_t)fcs, 0);
    to = put_escaped(to, (uint8_t)(fcs >> 8), 0);
    *to++ = FLAG;
  }
  queue_tail = (size_t)(to - queue);
}

static void put32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}

static void put_header(uint8_t *at, unsigned payload, int has_sequence, int acknowledges) {
  at[0] = (uint8_t)(0x20 | (has_sequence ? 0x10 : 0));
  at[1] = (uint8_t)(1 | (acknowledges ? 0x80 : 0));
  at[2] = 0x88;
  at[3] = 0x0b;
  at[4] = (uint8_t)(payload >> 8);
  at[5] = (uint8_t)payload;
  at[6] = (uint8_t)(peer_call_id >> 8);
  at[7] = (uint8_t)peer_call_id;
  if (has_sequence) put32(at + 8, next_sequence++);
  if (acknowledges) {
    put32(at + (has_sequence ? 12 : 8), highest);
    acknowledged = highest;
  }
}

static void watch_pty(int for_writing) {
  static int watched_for_writing;
  if (for_writing == watched_for_writing) return;
  watched_for_writing = for_writing;
  struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.fd = pty};
  epoll_ctl(epoll, EPOLL_CTL_MOD, pty, &event);
}

static void write_queue(void) {
  while (queue_head < queue_tail) {
    ssize_t written = write(pty, queue + queue_head, queue_tail - queue_head);
    if (written < 0 && errno == EAGAIN) {
      watch_pty(1);
      return;
    }
    if (written < 0) exit(0);
    queue_head += (size_t)written;
  }
  queue_head = queue_tail = 0;
  watch_pty(0);
}

static unsigned recv_packets(void) {
  if (queue_tail + BATCH * 2 * STRIDE > QUEUE) return 0;
  int count = recvmmsg(gre, receive_messages, BATCH, MSG_DONTWAIT, NULL);
  if (count <= 0) return 0;
  for (int index = 0; index < count; index++) {
    const uint8_t *at = receive_slots[index] + (receive_slots[index][0] & 15) * 4;
    unsigned payload = (unsigned)(at[4] << 8 | at[5]);
    if (payload == 0) continue;
    highest = get32(at + 8);
    has_received = 1;
    encode(at + 12 + (at[1] & 0x80 ? 4 : 0), payload);
  }
  write_queue();
  return (unsigned)count;
}

static void send_frames(void) {
  for (unsigned index = 0; index < frame_count; index++) {
    size_t length = (size_t)send_vectors[index].iov_len;
    int acknowledges = has_received && highest != acknowledged;
    unsigned header = acknowledges ? 16 : 12;
    uint8_t *packet = send_slots[index] + HEADROOM;
    if (is_lcp(packet, (unsigned)length) && packet[4] == CONFIGURE_ACK) control_characters = 0;
    put_header(packet - header, (unsigned)length, 1, acknowledges);
    send_vectors[index].iov_base = packet - header;
    send_vectors[index].iov_len = length + header;
  }
  for (unsigned next = 0; next < frame_count;) {
    int sent = sendmmsg(gre, send_messages + next, frame_count - next, MSG_DONTWAIT);
    if (sent <= 0) break;
    next += (unsigned)sent;
  }
  /* What is half read moves to the first slot. */
  if (frame_count > 0 && frame_length > 0)
    memcpy(send_slots[0] + HEADROOM, send_slots[frame_count % BATCH] + HEADROOM, frame_length);
  frame_count = 0;
}

static void decode(const uint8_t *at, const uint8_t *end) {
  while (at < end) {
    uint8_t *frame = send_slots[frame_count] + HEADROOM;
    size_t run = frame_escaped ? 0 : plain_run(at, (size_t)(end - at));
    if (run > 0) {
      if (frame_length + run > STRIDE - HEADROOM - 16) frame_length = 0;
      if (frame_began) {
        memcpy(frame + frame_length, at, run);
        frame_length += (unsigned)run;
      }
      at += run;
      continue;
    }
    uint8_t octet = *at++;
    if (octet == FLAG) {
      frame_began = 1;
      frame_escaped = 0;
      if (frame_length > 4 && fast_fcs(frame, frame_length) == 0xf0b8) {
        send_vectors[frame_count].iov_len = frame_length - 2;
        frame_length = 0;
        if (++frame_count == BATCH) send_frames();
      }
      frame_length = 0;
    } else if (octet == ESCAPE) {
      frame_escaped = 1;
    } else {
      frame[frame_length++] = octet ^ 0x20;
      frame_escaped = 0;
    }
  }
}

static unsigned read_pty(void) {
  static uint8_t input[READ_LENGTH + 16];
  unsigned reads = 0;
  for (; reads < ROUNDS; reads++) {
    ssize_t length = read(pty, input, READ_LENGTH);
    if (length < 0 && errno == EAGAIN) break;
    if (length <= 0) exit(0);
    decode(input, input + length);
  }
  send_frames();
  return reads;
}

static void acknowledge(void) {
  uint8_t packet[12];
  put_header(packet, 0, 0, 1);
  if (send(gre, packet, sizeof packet, MSG_DONTWAIT) < 0) return;
}

static void relay(int tcp) {
  for (unsigned index = 0; index < BATCH; index++) {
    receive_vectors[index] = (struct iovec){receive_slots[index], STRIDE};
    receive_messages[index].msg_hdr = (struct msghdr){.msg_iov = &receive_vectors[index], .msg_iovlen = 1};
    send_messages[index].msg_hdr = (struct msghdr){.msg_iov = &send_vectors[index], .msg_iovlen = 1};
  }
  epoll = epoll_create1(EPOLL_CLOEXEC);
  const int descriptors[] = {tcp, pty, gre};
  for (int index = 0; index < 3; index++) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptors[index]};
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptors[index], &event);
  }
  for (;;) {
    struct epoll_event events[3];
    int due = has_received && highest != acknowledged;
    int count = epoll_wait(epoll, events, 3, due ? ACKNOWLEDGE_AFTER_MS : -1);
    if (count == 0) acknowledge();
    for (int index = 0; index < count; index++) {
      if (events[index].data.fd != tcp) continue;
      uint8_t message[256];
      if (recv(tcp, message, sizeof message, MSG_DONTWAIT) == 0) exit(0);
    }
    write_queue();
    for (unsigned round = 0; round < ROUNDS; round++)
      if (recv_packets() + read_pty() == 0) break;
    if (has_received && highest - acknowledged >= ENOUGH) acknowledge();
  }
}

/* Only packets that carry our call id. */
static void open_gre(const struct sockaddr_in *own, const struct sockaddr_in *peer) {
  struct sock_filter code[] = {
      {0xb1, 0, 0, 0}, {0x48, 0, 0, 6}, {0x15, 0, 1, call_id}, {0x06, 0, 0, 0xffff}, {0x06, 0, 0, 0}};
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  gre = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_GRE);
  int size = 1 << 20;
  struct sockaddr_in from = *own, to = *peer;
  from.sin_port = to.sin_port = 0;
  if (gre < 0 || setsockopt(gre, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
      setsockopt(gre, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0 ||
      bind(gre, (struct sockaddr *)&from, sizeof from) < 0 || connect(gre, (struct sockaddr *)&to, sizeof to) < 0)
    die("GRE socket");
}

static void recv_exactly(int tcp, uint8_t *message, size_t length) {
  if (recv(tcp, message, length, MSG_WAITALL) != (ssize_t)length) exit(0);
}

static void serve(int tcp, char *pppd, char *options) {
  struct sockaddr_in own, peer;
  socklen_t own_length = sizeof own, peer_length = sizeof peer;
  getsockname(tcp, (struct sockaddr *)&own, &own_length);
  getpeername(tcp, (struct sockaddr *)&peer, &peer_length);
  uint8_t message[168];
  recv_exactly(tcp, message, 156);
  message[9] = 2;
  message[14] = 1;
  if (send(tcp, message, 156, 0) != 156) exit(0);
  recv_exactly(tcp, message, 168);
  peer_call_id = (uint16_t)(message[12] << 8 | message[13]);
  call_id = (uint16_t)(getpid() % 65535 + 1);
  open_gre(&own, &peer);
  if (forkpty(&pty, NULL, NULL, NULL) == 0) {
    execl(pppd, pppd, "file", options, NULL);
    _exit(1);
  }
  /* pppd is there once its pty is raw: then its first frame has come. */
  struct pollfd ready = {.fd = pty, .events = POLLIN};
  poll(&ready, 1, -1);
  fcntl(pty, F_SETFL, O_NONBLOCK);
  memset(message, 0, 32);
  message[1] = 32;
  message[3] = 1;
  put32(message + 4, 0x1a2b3c4d);
  message[9] = 8;
  message[12] = (uint8_t)(call_id >> 8);
  message[13] = (uint8_t)call_id;
  message[14] = (uint8_t)(peer_call_id >> 8);
  message[15] = (uint8_t)peer_call_id;
  message[16] = 1;
  if (send(tcp, message, 32, 0) != 32) exit(0);
  relay(tcp);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  make_tables();
  signal(SIGCHLD, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(1723), .sin_addr.s_addr = inet_addr("192.0.2.1")};
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, 256) < 0) die("listen");
  for (;;) {
    int tcp = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (tcp < 0) continue;
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(tcp, arguments[1], arguments[2]);
    }
    close(tcp);
  }
}

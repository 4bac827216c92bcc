/*
 * What the load generator, the stand-in pppd and the floor relay have in common: the packets, which each side makes for
 * itself and so can check octet by octet, the memory in which they count, and HDLC's FCS.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SESSIONS = 512, PACKETS = 512, LONGEST = 1600 };
enum { FLAG = 0x7e, ESCAPE = 0x7d };

enum mode { MODE_IDLE, MODE_ECHO, MODE_SINK, MODE_FLOOD };

/* One stand-in pppd, in the order in which they were started. */
struct slot {
  uint32_t mode, size;
  int32_t process;
  _Atomic int32_t parent;       /* the relay's process id; set last when it starts */
  _Atomic uint32_t open;        /* LCP is agreed both ways */
  _Atomic uint32_t go;          /* set by the generator: flood */
  _Atomic uint32_t waiting;     /* the generator sleeps until `received` moves */
  _Atomic uint32_t moved;       /* futex */
  _Atomic uint64_t received, sent, wrong;
};

struct shared {
  int32_t core; /* where the stand-ins run */
  _Atomic uint32_t started;
  struct slot slots[MOST_SESSIONS];
};

/* FF 03 00FD (what MPPE's packets begin with), the index, and octets as random as MPPE's. */
static inline void make_packet(uint8_t *packet, unsigned size, unsigned index) {
  uint64_t state = 0x9e3779b97f4a7c15ull * (index + 1) ^ size;
  static const uint8_t head[] = {0xff, 0x03, 0x00, 0xfd};
  memcpy(packet, head, sizeof head);
  packet[4] = (uint8_t)(index >> 8);
  packet[5] = (uint8_t)index;
  for (unsigned at = 6; at < size; at++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    packet[at] = (uint8_t)(state >> 32);
  }
}

static inline unsigned packet_index(const uint8_t *packet) { return (packet[4] << 8 | packet[5]) % PACKETS; }

/* All packets of one size, `size` octets each. */
static inline uint8_t *make_packets(unsigned size) {
  uint8_t *packets = malloc((size_t)size * PACKETS);
  if (packets == NULL) exit(1);
  for (unsigned index = 0; index < PACKETS; index++) make_packet(packets + (size_t)index * size, size, index);
  return packets;
}

static uint16_t fcs_table[256];

static inline void make_fcs_table(void) {
  for (unsigned value = 0; value < 256; value++) {
    unsigned fcs = value;
    for (int bit = 0; bit < 8; bit++) fcs = fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1;
    fcs_table[value] = (uint16_t)fcs;
  }
}

/* RFC 1662 §C.2: start with 0xffff; the complement is sent, low octet first. */
static inline uint16_t fcs16(uint16_t fcs, const uint8_t *at, size_t length) {
  while (length--) fcs = (uint16_t)(fcs >> 8 ^ fcs_table[(fcs ^ *at++) & 0xff]);
  return fcs;
}

static inline uint8_t *put_escaped(uint8_t *to, uint8_t octet, int control) {
  if (octet == FLAG || octet == ESCAPE || (control && octet < 0x20)) {
    *to++ = ESCAPE;
    octet ^= 0x20;
  }
  *to++ = octet;
  return to;
}

/* One frame with both flags; `control`: control characters are escaped too. Returns its end. */
static inline uint8_t *encode_frame(uint8_t *to, const uint8_t *packet, unsigned length, int control) {
  uint16_t fcs = (uint16_t)~fcs16(0xffff, packet, length);
  *to++ = FLAG;
  for (unsigned at = 0; at < length; at++) to = put_escaped(to, packet[at], control);
  to = put_escaped(to, (uint8_t)fcs, control);
  to = put_escaped(to, (uint8_t)(fcs >> 8), control);
  *to++ = FLAG;
  return to;
}

enum { CONFIGURE_REQUEST = 1, CONFIGURE_ACK = 2 };

/* An LCP Configure-Request that asks for ACCM 0; returns its length. */
static inline unsigned lcp_request(uint8_t *packet) {
  static const uint8_t request[] = {0xff, 0x03, 0xc0, 0x21, CONFIGURE_REQUEST, 1, 0, 10, 2, 6, 0, 0, 0, 0};
  memcpy(packet, request, sizeof request);
  return sizeof request;
}

static inline int is_lcp(const uint8_t *packet, unsigned length) {
  return length >= 8 && packet[2] == 0xc0 && packet[3] == 0x21;
}

static inline _Noreturn void die(const char *what) {
  perror(what);
  exit(1);
}

/*
 * Preloaded into pptp-linux, which sends no Set-Link-Info (RFC 2637 2.15), it has it send one as soon as its call
 * stands: nothing has to be escaped on either way.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

enum { REPLY_LENGTH = 32, INFO_LENGTH = 24, CALL_ID = 12, PEER_CALL_ID = 12, TYPE = 9 };

static const unsigned char reply_header[] = {0, REPLY_LENGTH, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 8};

ssize_t read(int descriptor, void *buffer, size_t size)
{
	ssize_t (*real_read)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	ssize_t count = real_read(descriptor, buffer, size);
	const unsigned char *reply = buffer;

	if (count >= REPLY_LENGTH && memcmp(reply, reply_header, sizeof(reply_header)) == 0) {
		unsigned char info[INFO_LENGTH] = {0};

		memcpy(info, reply_header, sizeof(reply_header));
		info[1] = INFO_LENGTH;
		info[TYPE] = 15;
		memcpy(info + PEER_CALL_ID, reply + CALL_ID, 2);
		if (write(descriptor, info, INFO_LENGTH) != INFO_LENGTH)
			_exit(1);
	}
	return count;
}

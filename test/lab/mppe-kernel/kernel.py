"""
A PPP unit of this kernel with MPPE, whose serial line and whose inside are lines of text:

    open OPTION SEND RECEIVE   begins anew; MPPE's option of CCP and both start keys in hexadecimal
    out FRAME                  the kernel sends this frame; the answer is what it puts on the line
    in FRAME                   this frame comes from the line; the answer is what the kernel gives to pppd, if anything
"""

import fcntl
import os
import select
import struct
import sys
import tty

TIOCSETD, N_PPP = 0x5423, 3
PPPIOCGCHAN, PPPIOCATTCHAN, PPPIOCNEWUNIT, PPPIOCCONNECT = 0x80047437, 0x40047438, 0xC004743E, 0x4004743A
PPPIOCSFLAGS, PPPIOCSCOMPRESS = 0x40047459, 0x4010744D
SC_CCP_OPEN, SC_CCP_UP = 0x40, 0x80
CONFIGURE_ACK = bytes.fromhex("80fd0201000a")
# A frame of IPCP is always given to pppd as it is: what came before it has been dealt with.
MARK = bytes.fromhex("802109000004")


def fcs(octets):
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return struct.pack("<H", value ^ 0xFFFF)


def to_line(frame):
    octets = b"\xff\x03" + frame
    body = octets + fcs(octets)
    return b"~" + b"".join(bytes([0x7D, o ^ 0x20]) if o < 0x20 or o in b"}~" else bytes([o]) for o in body) + b"~"


def from_line(body):
    octets, escaped = bytearray(), False
    for octet in body:
        if octet == 0x7D:
            escaped = True
        else:
            octets.append(octet ^ 0x20 if escaped else octet)
            escaped = False
    assert fcs(octets[:-2]) == octets[-2:], "the kernel sends a good checksum"
    return bytes(octets[:-2]).removeprefix(b"\xff\x03")


def number(fd, request, value=0):
    return struct.unpack("i", fcntl.ioctl(fd, request, struct.pack("i", value)))[0]


class Unit:
    def __init__(self, option, send, receive):
        self.line, self.slave = os.openpty()
        tty.setraw(self.slave)
        number(self.slave, TIOCSETD, N_PPP)
        self.channel = os.open("/dev/ppp", os.O_RDWR)
        number(self.channel, PPPIOCATTCHAN, number(self.slave, PPPIOCGCHAN))
        self.unit = os.open("/dev/ppp", os.O_RDWR)
        number(self.channel, PPPIOCCONNECT, number(self.unit, PPPIOCNEWUNIT, -1))
        self.read = b""
        number(self.unit, PPPIOCSFLAGS, SC_CCP_OPEN)
        for transmit, key in ((1, send), (0, receive)):
            self.option = bytes.fromhex(option + key)
            address = id(self.option) + bytes.__basicsize__ - 1
            fcntl.ioctl(self.unit, PPPIOCSCOMPRESS, struct.pack("QIi", address, len(self.option), transmit))
        agreed = CONFIGURE_ACK + bytes.fromhex(option)
        self.out(agreed)
        self.in_(agreed)
        number(self.unit, PPPIOCSFLAGS, SC_CCP_OPEN | SC_CCP_UP)

    def close(self):
        for fd in (self.unit, self.channel, self.slave, self.line):
            os.close(fd)

    def out(self, frame):
        os.write(self.unit, frame)
        while True:
            body, flag, rest = self.read.lstrip(b"~").partition(b"~")
            if flag:
                self.read = rest
                return from_line(body)
            assert select.select([self.line], [], [], 10)[0], "the kernel sends the frame"
            self.read += os.read(self.line, 65536)

    def in_(self, frame):
        os.write(self.line, to_line(frame) + to_line(MARK))
        given = b""
        while True:
            assert select.select([self.unit], [], [], 10)[0], "the kernel gives the mark to pppd"
            octets = os.read(self.unit, 65536)
            if octets == MARK:
                return given
            given = octets


unit = None
for line in sys.stdin:
    command, *words = line.split()
    if command == "open":
        if unit is not None:
            unit.close()
        unit = Unit(*words)
        answer = b""
    else:
        answer = (unit.out if command == "out" else unit.in_)(bytes.fromhex(words[0]))
    print(answer.hex(), flush=True)

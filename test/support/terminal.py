"""Runs a command in a terminal of its own. Whenever what it has said since the last key holds the next text, presses the keys beside it.

Arguments: rows, columns, [[text, keys], ...] as JSON, the command. Prints what was said, and ends with the command's status.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

rows, columns, steps = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(sys.argv[4], sys.argv[4:])

said, heard = b"", 0
while True:
    try:
        read = os.read(terminal, 65536)
    except OSError:
        break
    if not read:
        break
    said += read
    if steps and steps[0][0].encode() in said[heard:]:
        os.write(terminal, steps[0][1].encode())
        heard = len(said)
        steps = steps[1:]
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(status))

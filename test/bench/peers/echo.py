"""The same as echo.c, where there is no compiler."""

import socket

connection = socket.socket(fileno=3)
buffer = memoryview(bytearray(256 * 1024))
while count := connection.recv_into(buffer):
    connection.sendall(buffer[:count])

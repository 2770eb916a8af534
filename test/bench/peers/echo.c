/* Gives back what it reads from descriptor 3, in as few system calls as the kernel allows. */
#include <unistd.h>

int main(void) {
  static char buffer[262144];
  for (;;) {
    ssize_t count = read(3, buffer, sizeof buffer);
    if (count <= 0) return 0;
    for (ssize_t sent = 0; sent < count;) {
      ssize_t written = write(3, buffer + sent, count - sent);
      if (written <= 0) return 0;
      sent += written;
    }
  }
}

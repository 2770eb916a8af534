package snakepit

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

const prSetDeathSignal = 1

// dieWithHost lets the kernel kill this process when its host dies, whatever C code it is in. Called by init, on the main thread: the
// kernel keeps the wish with the thread that made it.
func dieWithHost() {
	mark, _, _ := strings.Cut(os.Getenv("SNAKEPIT_HOST"), ".")
	host, err := strconv.Atoi(mark)
	if err != nil || os.Getppid() != host {
		return
	}
	if _, _, failure := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDeathSignal, uintptr(syscall.SIGKILL), 0); failure != 0 {
		return // the guardian and the end of the connection remain
	}
	if os.Getppid() != host { // it died just before
		endWithHost()
	}
}

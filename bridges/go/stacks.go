package snakepit

import (
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"
)

// The host sends it when a call has passed its deadline.
const stackSignalName = "SIGUSR1"

const maxStackBytes = 1 << 20

func listenForStacks() {
	wish := make(chan os.Signal, 1)
	signal.Notify(wish, syscall.SIGUSR1)
	go func() {
		for range wish {
			buffer := make([]byte, maxStackBytes)
			os.Stderr.WriteString(stackText(string(buffer[:runtime.Stack(buffer, true)])))
		}
	}()
}

var goroutineLine = regexp.MustCompile(`^goroutine (\d+) .*\[(.*)\]:$`)

// stackText writes Go's stacks in the form that hosts read: of each goroutine that is in code other than this package's and Go's own
// waiting, a line that begins with "Thread", then its frames, indented.
func stackText(dump string) string {
	var text strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(dump), "\n\n") {
		lines := strings.Split(block, "\n")
		header := goroutineLine.FindStringSubmatch(lines[0])
		if header == nil || !isOfTheProgram(lines[1:]) {
			continue
		}
		text.WriteString("Thread 0x" + strings.Repeat("0", max(0, 16-len(header[1]))) + header[1] + " (most recent call first):\n")
		text.WriteString("  [" + header[2] + "]\n")
		for _, line := range lines[1:] {
			text.WriteString("  " + strings.Replace(line, "\t", "  ", 1) + "\n")
		}
	}
	return text.String()
}

func isOfTheProgram(lines []string) bool {
	for _, line := range lines {
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "created by ") {
			continue
		}
		isOurs := strings.HasPrefix(line, ownPackage)
		isRuntimes := strings.HasPrefix(line, "runtime.") || strings.HasPrefix(line, "runtime/") || strings.HasPrefix(line, "os/signal.") ||
			strings.HasPrefix(line, "internal/") || strings.HasPrefix(line, "os.") || strings.HasPrefix(line, "syscall.") ||
			strings.HasPrefix(line, "main.main(") || strings.HasPrefix(line, "sync.") || strings.HasPrefix(line, "time.")
		if !isOurs && !isRuntimes {
			return true
		}
	}
	return false
}

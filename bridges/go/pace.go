package snakepit

import (
	"sync/atomic"
	"time"
)

const (
	// What takes less on average is not worth a goroutine of its own, which costs about a microsecond.
	quickNanoseconds = 10_000
	// The most that one run counts for: the system or the collector may have interrupted it.
	mostNanoseconds = 100_000
	// Each run weighs a sixteenth of the average.
	paceShift = 4
)

// pace is the moving average of how long a command takes. It starts high: to count as quick takes some 36 quick runs.
type pace struct{ average atomic.Int64 }

func newPace() *pace {
	p := &pace{}
	p.forget()
	return p
}

func (p *pace) isQuick() bool { return p.average.Load() <= quickNanoseconds }

func (p *pace) note(took time.Duration) {
	average := p.average.Load()
	p.average.Store(average + (min(int64(took), mostNanoseconds)-average)>>paceShift)
}

// forget is for a command that has held others up: it has to prove itself anew.
func (p *pace) forget() { p.average.Store(mostNanoseconds) }

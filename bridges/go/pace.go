package snakepit

import (
	"sync/atomic"
	"time"
)

// What takes less is not worth a goroutine of its own, which costs about a microsecond.
const quickNanoseconds = 10_000

// After so many quick runs in a row a command counts as quick.
const quickRuns = 16

// pace remembers whether a command is quick. It falls at once and rises slowly.
type pace struct{ runs atomic.Int32 }

func (p *pace) isQuick() bool { return p.runs.Load() >= quickRuns }

func (p *pace) note(took time.Duration) {
	switch runs := p.runs.Load(); {
	case took > quickNanoseconds:
		if runs != 0 {
			p.runs.Store(0)
		}
	case runs < quickRuns:
		p.runs.Add(1)
	}
}

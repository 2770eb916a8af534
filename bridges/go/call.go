package snakepit

import (
	"context"
	"sync"
	"time"

	"nestjs-snakepit/snakepit/internal/frame"
)

// call is one call that the host has made, and the context of the command that serves it.
type call struct {
	server   *server
	frame    frame.Frame
	received time.Time
	// Zero where there is none.
	deadline time.Time
	command  *command
	meta     meta
	facade   Context
	trace    *callTrace

	mu       sync.Mutex
	hasBegun bool
	isOver   bool
	// Of the context: why it ended, and who wants to know.
	err   error
	done  chan struct{}
	timer *time.Timer
	after map[*func()]struct{}
	// Chunks that the stream may still send, and who waits for more.
	credit  int
	granted chan struct{}
}

// meta is what a call says of itself besides its arguments.
type meta struct {
	session string
	// Absent where hasSession is false.
	hasSession bool
	command    any
	trace      map[string]any
	context    map[string]string
	isBatch    bool
}

func metaOf(members map[string]any) meta {
	var m meta
	m.session, m.hasSession = members["session"].(string)
	m.command = members["command"]
	m.trace, _ = members["trace"].(map[string]any)
	m.isBatch = members["batch"] == true
	if values, isMap := members["context"].(map[string]any); isMap {
		m.context = make(map[string]string, len(values))
		for key, value := range values {
			if text, isText := value.(string); isText {
				m.context[key] = text
			}
		}
	}
	return m
}

func (c *call) id() uint32 { return c.frame.ID }

func (c *call) isStream() bool { return c.frame.Flags&frame.FlagStream != 0 }

// Deadline is part of context.Context.
func (c *call) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done is part of context.Context. A command that does not ask for it costs no timer.
func (c *call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil || c.isOver {
			close(c.done)
		} else {
			c.watchDeadline()
		}
	}
	return c.done
}

// Err is part of context.Context.
func (c *call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.isOver {
		return context.Canceled
	}
	if c.err == nil && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		c.end(context.DeadlineExceeded)
	}
	return c.err
}

type contextKey struct{}

// Value is part of context.Context.
func (c *call) Value(key any) any {
	if _, isOurs := key.(contextKey); isOurs {
		return &c.facade
	}
	return nil
}

// AfterFunc lets contexts that derive from this one be told without a goroutine each.
func (c *call) AfterFunc(run func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.isOver {
		go run()
		return func() bool { return false }
	}
	c.watchDeadline()
	entry := &run
	if c.after == nil {
		c.after = map[*func()]struct{}{}
	}
	c.after[entry] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, isThere := c.after[entry]
		delete(c.after, entry)
		return isThere
	}
}

// watchDeadline needs the lock.
func (c *call) watchDeadline() {
	if c.timer == nil && !c.deadline.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.cancel(context.DeadlineExceeded) })
	}
}

// cancel ends the context: the caller has left, or the time is up.
func (c *call) cancel(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(reason)
}

// end needs the lock.
func (c *call) end(reason error) {
	if c.err != nil {
		return
	}
	c.err = reason
	c.wake()
}

// wake needs the lock.
func (c *call) wake() {
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil && !isClosed(c.done) {
		close(c.done)
	}
	for run := range c.after {
		go (*run)()
	}
	c.after = nil
}

func isClosed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// begin tells whether the call may start; false when it was cancelled before.
func (c *call) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hasBegun = true
	return c.err == nil
}

// finish ends the context with its call.
func (c *call) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isOver = true
	c.wake()
}

// ending is why the context ended, if it did.
func (c *call) ending() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *call) grant(chunks int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credit += chunks
	if c.granted != nil {
		close(c.granted)
		c.granted = nil
	}
}

// takeCredit uses up one chunk's credit, and waits for it. Before it waits it calls onWait.
func (c *call) takeCredit(onWait func()) error {
	for {
		c.mu.Lock()
		switch {
		case c.isOver:
			c.mu.Unlock()
			return context.Canceled
		case c.err != nil:
			defer c.mu.Unlock()
			return c.err
		case c.credit > 0:
			c.credit--
			c.mu.Unlock()
			return nil
		}
		if c.granted == nil {
			c.granted = make(chan struct{})
		}
		granted := c.granted
		c.mu.Unlock()
		onWait()
		select {
		case <-granted:
		case <-c.Done():
		}
	}
}

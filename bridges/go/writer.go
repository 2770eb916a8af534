package snakepit

import (
	"io"
	"sync"
	"time"

	"nestjs-snakepit/snakepit/internal/frame"
)

const (
	// A frame of this size and more is written from where it is, without being copied.
	largeFrame = 64 * 1024
	// What is sent besides answers waits while so much is not written yet.
	maxWaiting = 8 << 20
	// Frames that are collected before they are written, at most.
	flushFrames = 32
	maxSpare    = 1 << 20
)

// writer collects frames and writes those that have come together at once. Whoever flushes first writes for all.
type writer struct {
	to     io.Writer
	onFail func(error)

	mu        sync.Mutex
	room      *sync.Cond
	parts     [][]byte // before open
	open      []byte
	spare     []byte
	waiting   int // bytes
	frames    int
	isWriting bool
	wish      chan struct{}
}

func newWriter(to io.Writer, onFail func(error)) *writer {
	w := &writer{to: to, onFail: onFail, wish: make(chan struct{}, 1)}
	w.room = sync.NewCond(&w.mu)
	go func() {
		for range w.wish {
			w.flush()
		}
	}()
	return w
}

// add takes a frame, header and all, and tells whether it keeps that memory. It is written with the next flush.
func (w *writer) add(whole []byte) (isKept bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.append(whole)
}

// addWhenRoom is add for what must not pile up.
func (w *writer) addWhenRoom(whole []byte) (isKept bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.waiting > maxWaiting && w.isWriting {
		w.room.Wait()
	}
	return w.append(whole)
}

func (w *writer) append(whole []byte) bool {
	w.waiting += len(whole)
	w.frames++
	if len(whole) < largeFrame {
		w.open = append(w.open, whole...)
		return false
	}
	if len(w.open) > 0 {
		w.parts = append(w.parts, w.open)
		w.open = nil
	}
	w.parts = append(w.parts, whole)
	return true
}

// isDue tells whether enough has come together.
func (w *writer) isDue() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames >= flushFrames || w.waiting >= largeFrame
}

// flushSoon has the frames written by another goroutine, with what comes until it runs.
func (w *writer) flushSoon() {
	select {
	case w.wish <- struct{}{}:
	default:
	}
}

// flush writes what there is, or leaves that to the goroutine that is writing.
func (w *writer) flush() {
	w.mu.Lock()
	if w.isWriting {
		w.mu.Unlock()
		return
	}
	w.isWriting = true
	for w.waiting > 0 {
		parts, open := w.parts, w.open
		w.parts, w.open, w.spare = nil, w.spare, nil
		w.waiting, w.frames = 0, 0
		w.mu.Unlock()
		err := w.write(parts, open)
		w.mu.Lock()
		w.room.Broadcast()
		if err != nil {
			break
		}
		if cap(open) <= maxSpare {
			w.spare = open[:0]
		}
	}
	w.isWriting = false
	w.room.Broadcast()
	w.mu.Unlock()
}

func (w *writer) write(parts [][]byte, open []byte) error {
	for _, part := range append(parts, open) {
		if len(part) == 0 {
			continue
		}
		if _, err := w.to.Write(part); err != nil {
			w.onFail(err)
			return err
		}
	}
	return nil
}

// drain writes all there is, giving up after a while: a host that does not read must not keep a worker from ending.
func (w *writer) drain(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		w.mu.Lock()
		for w.isWriting {
			w.room.Wait()
		}
		w.mu.Unlock()
		w.flush()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// envelope is a buffer that begins with room for a header.
func envelope() *[]byte {
	buffer := buffers.Get().(*[]byte)
	*buffer = append((*buffer)[:0], make([]byte, frame.HeaderBytes)...)
	return buffer
}

func release(buffer *[]byte, isKept bool) {
	if isKept {
		*buffer = nil
	}
	buffers.Put(buffer)
}

// pack sends a frame whose body is small.
func (w *writer) pack(kind byte, aux uint16, id uint32, body []byte) {
	w.add(frame.Append(nil, kind, 0, aux, id, body))
}

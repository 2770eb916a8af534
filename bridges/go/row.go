package snakepit

import (
	"sync/atomic"
	"time"
)

// A quick command that takes so long is no longer waited for by the others.
const patience = 2 * time.Millisecond

// task is what the reading goroutine does by itself: a quick call, or else the end of a session.
type task struct {
	call    *call
	session string
}

// row is the tasks of one read, done one after the other. Another goroutine may help itself to the rest.
type row struct {
	tasks []task
	next  atomic.Int32
}

// take is the next task; false where none is left.
func (r *row) take() (task, bool) {
	if at := int(r.next.Add(1)) - 1; at < len(r.tasks) {
		return r.tasks[at], true
	}
	return task{}, false
}

// current is the task that was taken last; false where there was none.
func (r *row) current() (task, bool) {
	if at := int(r.next.Load()) - 1; at >= 0 && at < len(r.tasks) {
		return r.tasks[at], true
	}
	return task{}, false
}

// watch has another goroutine read on, and do what is left of a row, when one task takes longer than it should.
type watch struct {
	server *server
	shift  int64
	timer  *time.Timer
	row    atomic.Pointer[row]
}

func newWatch(s *server) *watch {
	w := &watch{server: s, shift: s.shift.Load()}
	w.timer = time.AfterFunc(time.Hour, w.takeOver)
	w.timer.Stop()
	return w
}

// isMine tells whether the goroutine whose watch this is may still read.
func (w *watch) isMine() bool { return w.server.shift.Load() == w.shift }

// run does the tasks; false when the shift ended meanwhile, and with it the caller's right to read. Each task is timed from the clock
// reading that ended the one before it.
func (w *watch) run(tasks []task) bool {
	current := &row{tasks: tasks}
	w.row.Store(current)
	w.timer.Reset(patience)
	now := time.Now()
	for w.isMine() {
		next, isThere := current.take()
		if !isThere {
			break
		}
		now = w.server.do(next, now)
	}
	w.timer.Stop()
	// From here on takeOver finds nothing to take over from.
	if w.row.Swap(nil) == nil {
		w.server.out.flush()
		return false
	}
	return true
}

// do returns when the task ended. Answers are sent as soon as enough have come together.
func (s *server) do(next task, began time.Time) time.Time {
	if next.call == nil {
		s.sessions.close(next.session)
		return time.Now()
	}
	ended := s.serve(next.call, began)
	if s.out.isDue() {
		s.out.flush()
	}
	return ended
}

func (w *watch) takeOver() {
	current := w.row.Swap(nil)
	if current == nil {
		return
	}
	s := w.server
	if slow, isThere := current.current(); isThere && slow.call != nil {
		slow.call.command.pace.forget()
	}
	s.shift.Store(w.shift + 1)
	for {
		next, isThere := current.take()
		if !isThere {
			break
		}
		go func() {
			s.do(next, time.Now())
			s.out.flush()
		}()
	}
	s.out.flush()
	s.read()
}

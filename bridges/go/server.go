package snakepit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

// server serves protocol v2 from the hellos to the end of the process.
type server struct {
	worker *Worker
	out    *writer
	in     *frame.Reader
	codec  codec.Codec
	// What stands in for part of the codec where it is MessagePack.
	speaksMsgpack bool
	hello         hostHello
	end           *ending
	asked         *hostCalls
	sessions      *sessions
	gate          *logGate
	metrics       *Metrics

	mu    sync.Mutex
	calls map[uint32]*call
	blank []call
	// Set once no call is to come; closed when the last one is over.
	drained chan struct{}

	// Which goroutine reads; it counts up when another one takes over.
	shift atomic.Int64
}

// read takes frames until the connection or the goroutine's shift ends.
func (s *server) read() {
	watch := newWatch(s)
	var tasks []task
	for {
		if err := s.in.Fill(); err != nil {
			s.end.byConnection(err)
			return
		}
		received := time.Now()
		tasks = tasks[:0]
		for {
			next, isWhole, err := s.in.Parse()
			if err != nil {
				s.end.byConnection(err)
				return
			}
			if !isWhole {
				break
			}
			own, isOwn, err := s.take(next, received)
			if err != nil {
				s.end.byProtocol(err)
				return
			}
			if !isOwn {
				continue
			}
			// The end of a session comes after all that came before, and before all that comes after.
			isOrdered := own.call == nil
			if isOrdered && len(tasks) > 0 {
				if !watch.run(tasks) {
					return
				}
				tasks = tasks[:0]
			}
			tasks = append(tasks, own)
			if isOrdered {
				if !watch.run(tasks) {
					return
				}
				tasks = tasks[:0]
			}
		}
		// The slice is in another goroutine's hands only where the shift has ended.
		if len(tasks) > 0 && !watch.run(tasks) {
			return
		}
		s.out.flush()
	}
}

// take handles a frame, or returns what the reading goroutine is to do for it (isOwn).
func (s *server) take(f frame.Frame, received time.Time) (own task, isOwn bool, err error) {
	switch f.Kind {
	case frame.Call:
		c, err := s.open(f, received)
		if err != nil {
			return task{}, false, err
		}
		if c.command != nil && c.command.kind == kindCall && c.command.pace.isQuick() {
			return task{call: c}, true, nil
		}
		go func() {
			s.serve(c, time.Now())
			s.out.flush()
		}()
	case frame.Cancel:
		if c := s.find(f.ID); c != nil {
			reason := context.Canceled
			if f.Aux == 2 {
				reason = context.DeadlineExceeded
			}
			c.cancel(reason)
		}
	case frame.Credit:
		if c := s.find(f.ID); c != nil {
			c.grant(int(f.Aux))
		}
	case frame.Ping:
		s.out.pack(frame.Pong, 0, f.ID, nil)
	case frame.Pong:
	case frame.HostResult, frame.HostError:
		return task{}, false, s.asked.settle(f)
	case frame.SessionClosed:
		value, err := s.decode(f, 0)
		if err != nil {
			return task{}, false, err
		}
		id, isText := value.(string)
		if !isText {
			return task{}, false, errors.New("SESSION_CLOSED without a session's id")
		}
		return task{session: id}, true, nil
	case frame.Release:
		return task{}, false, errors.New("RELEASE of shared memory, which this worker has not got")
	case frame.Shutdown:
		go s.end.inOrder(s.drain())
	default:
		return task{}, false, fmt.Errorf("a frame of kind 0x%02x, which no host sends", f.Kind)
	}
	return task{}, false, nil
}

func (s *server) decode(f frame.Frame, extraDepth int) (any, error) {
	return s.codec.Decode(f.Body, f.Flags&frame.FlagTagged != 0, extraDepth)
}

// open enters a call into the books.
func (s *server) open(f frame.Frame, received time.Time) (*call, error) {
	if f.ID == 0 {
		return nil, errors.New("a CALL with the id 0")
	}
	c := s.blankCall()
	c.server, c.frame, c.received, c.credit = s, f, received, s.hello.StreamCredit
	if f.Flags&frame.FlagDeadline != 0 {
		if len(f.Body) < 4 {
			return nil, errors.New("a CALL with DEADLINE whose body has none")
		}
		c.deadline = received.Add(time.Duration(binary.BigEndian.Uint32(f.Body)) * time.Millisecond)
		c.frame.Body = f.Body[4:]
	}
	if int(f.Aux) < len(s.worker.commands) {
		c.command = s.worker.commands[f.Aux]
	}
	c.facade = Context{ctx: c, server: s, call: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[f.ID] != nil {
		return nil, fmt.Errorf("a CALL with the id %d, which another call has", f.ID)
	}
	s.calls[f.ID] = c
	return c, nil
}

// callsAtOnce share an allocation: few enough for a command that keeps its context not to keep much else.
const callsAtOnce = 8

// blankCall is for the reading goroutine.
func (s *server) blankCall() *call {
	if len(s.blank) == 0 {
		s.blank = make([]call, callsAtOnce)
	}
	c := &s.blank[0]
	s.blank = s.blank[1:]
	return c
}

func (s *server) find(id uint32) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}

// close takes a call out of the books: the host may use its id again as soon as it has the answer.
func (s *server) close(c *call) {
	c.finish()
	s.mu.Lock()
	delete(s.calls, c.id())
	if s.drained != nil && len(s.calls) == 0 && !isClosed(s.drained) {
		close(s.drained)
	}
	s.mu.Unlock()
}

// drain returns what is closed when the last call is over.
func (s *server) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drained == nil {
		s.drained = make(chan struct{})
		if len(s.calls) == 0 {
			close(s.drained)
		}
	}
	return s.drained
}

func (s *server) cancelAll() {
	s.mu.Lock()
	all := make([]*call, 0, len(s.calls))
	for _, c := range s.calls {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.cancel(context.Canceled)
	}
}

// serve runs a call and answers it, and returns when that ended; the answer is not flushed.
func (s *server) serve(c *call, began time.Time) time.Time {
	result, err := s.perform(c)
	if c.isStream() && err == nil && c.command.kind == kindCall {
		if err = s.sendChunk(c, result); err == nil {
			s.out.flush()
		}
	}
	var answer *[]byte
	if err == nil && !c.isStream() {
		answer, err = s.encode(frame.Result, c.id(), result, "result")
	}
	ended := time.Now()
	took := ended.Sub(began)
	if c.command != nil {
		c.command.pace.note(took)
	}
	s.metrics.flush(c.id())
	c.trace.end(err)
	if err != nil {
		answer = s.encodeError(c, err)
	}
	s.close(c)
	if answer == nil {
		answer = envelope()
		frame.Put(*answer, frame.End, 0, 0, c.id(), 0)
	}
	binary.BigEndian.PutUint16((*answer)[6:], serviceTime(took))
	release(answer, s.out.add(*answer))
	return ended
}

func serviceTime(took time.Duration) uint16 {
	if microseconds := took.Microseconds(); microseconds < 65535 {
		return uint16(microseconds)
	}
	return 65535
}

// perform runs the command of a call. What it returns with a nil error is the result, or nil for a stream that has been sent.
func (s *server) perform(c *call) (any, error) {
	if !c.begin() {
		return nil, cancelled(false)
	}
	if c.command != nil && c.command.direct != nil && s.speaksMsgpack && c.frame.Flags&frame.FlagMeta == 0 {
		if result, fits, err := s.runDirect(c); fits {
			c.frame.Body = nil
			return result, c.reasonOf(err)
		}
	}
	arguments, err := s.arguments(c)
	if err != nil {
		return nil, err
	}
	if c.command == nil {
		if c.command, err = s.named(c); err != nil {
			return nil, err
		}
	}
	if c.command.kind == kindStream && !c.isStream() {
		return nil, &refusal{code: codeInvalidArguments, message: c.command.name + " is a stream; call it as one"}
	}
	if c.meta.hasSession {
		if err := s.sessions.open(c); err != nil {
			return nil, err
		}
	}
	c.trace = traceOf(c)
	result, err := s.run(c, arguments)
	return result, c.reasonOf(err)
}

// reasonOf tells the end of a call that was cancelled from a failure.
func (c *call) reasonOf(err error) error {
	if err == nil || c.ending() == nil {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(c.ending(), context.DeadlineExceeded) {
		started := true
		return &refusal{code: codeTimeout, message: "the deadline passed", started: &started}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return cancelled(true)
	}
	return err
}

func (s *server) run(c *call, arguments any) (result any, err error) {
	hasReturned := false
	defer func() { failIfEnded(recover(), hasReturned, &result, &err) }()
	switch {
	case c.command.stream != nil:
		err = c.command.stream(c, arguments, func(value any) error { return s.sendChunk(c, value) })
	case c.meta.isBatch && c.command.batch != nil:
		result, err = c.command.batch.runMany(s, c, arguments)
	default:
		result, err = c.command.run(c, arguments)
	}
	hasReturned = true
	return result, err
}

// runDirect is run for arguments that need no decoding of their own; false where they do, and nothing has run.
func (s *server) runDirect(c *call) (result any, fits bool, err error) {
	hasReturned := false
	fits = true
	defer func() { failIfEnded(recover(), hasReturned, &result, &err) }()
	result, fits, err = c.command.direct(c, c.frame.Body)
	hasReturned = true
	return result, fits, err
}

// failIfEnded makes a failure of a panic, and of runtime.Goexit, which leaves nothing to recover.
func failIfEnded(panicked any, hasReturned bool, result *any, err *error) {
	if panicked != nil {
		*result, *err = nil, recovered(panicked)
	} else if !hasReturned {
		*result, *err = nil, errors.New("the command ended its goroutine by runtime.Goexit")
	}
}

// arguments decodes the body of a call, and its meta.
func (s *server) arguments(c *call) (any, error) {
	hasMeta := c.frame.Flags&frame.FlagMeta != 0
	extraDepth := 0
	if hasMeta {
		extraDepth = 1
	}
	value, err := s.decode(c.frame, extraDepth)
	c.frame.Body = nil
	if errors.Is(err, codec.ErrTooDeep) {
		message := fmt.Sprintf("args: nested deeper than %d", s.hello.MaxDepth)
		return nil, &refusal{code: codeInvalidArguments, message: message, data: codec.Pairs{{Key: "path", Value: "args"}}}
	}
	if err != nil {
		s.end.byProtocol(fmt.Errorf("the body of a CALL: %w", err))
		return nil, err
	}
	if !hasMeta {
		return value, nil
	}
	if parts, isList := value.([]any); isList && len(parts) == 2 {
		if members, isMap := parts[0].(map[string]any); isMap {
			c.meta = metaOf(members)
			return parts[1], nil
		}
	}
	err = errors.New("a CALL with META whose value is not [meta, arguments]")
	s.end.byProtocol(err)
	return nil, err
}

func (s *server) named(c *call) (*command, error) {
	name, isNamed := c.meta.command.(string)
	if isNamed && c.frame.Aux == frame.NamedCommand {
		if found := s.worker.byName[name]; found != nil {
			return found, nil
		}
	}
	wanted := fmt.Sprintf("of index %d", c.frame.Aux)
	if isNamed {
		wanted = fmt.Sprintf("named %q", name)
	}
	return nil, &refusal{code: codeUnknownCommand, message: fmt.Sprintf("no command %s; this worker has: %s", wanted, s.worker.known())}
}

const listedCommands = 20

func (w *Worker) known() string {
	names := make([]string, 0, len(w.byName))
	for name := range w.byName {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) > listedCommands {
		names = names[:listedCommands]
	}
	return strings.Join(names, ", ")
}

// encode makes a frame of a value.
func (s *server) encode(kind byte, id uint32, value any, root string) (*[]byte, error) {
	return s.encodeDeep(kind, id, value, root, 0)
}

func (s *server) encodeDeep(kind byte, id uint32, value any, root string, extraDepth int) (*[]byte, error) {
	buffer := envelope()
	out, isTagged, err := s.codec.Append(*buffer, value, root, extraDepth)
	*buffer = out
	if err != nil {
		release(buffer, false)
		return nil, &refusal{code: codeInvalidResult, message: err.Error()}
	}
	size := len(out) - frame.HeaderBytes
	if size > s.hello.MaxFrameBytes {
		release(buffer, true)
		message := fmt.Sprintf("the %s takes %d bytes, more than maxFrameBytes (%d); send it as a stream, or raise the limit", root, size, s.hello.MaxFrameBytes)
		return nil, &refusal{code: codeTooLarge, message: message}
	}
	flags := byte(0)
	if isTagged {
		flags = frame.FlagTagged
	}
	frame.Put(out, kind, flags, 0, id, size)
	return buffer, nil
}

func (s *server) encodeError(c *call, err error) *[]byte {
	described, data := errorMap(err, c.command)
	if data != nil {
		whole := append(described[:len(described):len(described)], codec.Pair{Key: "data", Value: data})
		if buffer, failure := s.encodeDeep(frame.Error, c.id(), whole, "error", 1); failure == nil {
			return buffer
		}
	}
	buffer, failure := s.encodeDeep(frame.Error, c.id(), described, "error", 1)
	if failure != nil {
		buffer, failure = s.encodeDeep(frame.Error, c.id(), shorten(described), "error", 1)
	}
	if failure != nil {
		buffer, _ = s.encodeDeep(frame.Error, c.id(), codec.Pairs{{Key: "code", Value: codeRemote}, {Key: "message", Value: ""}}, "error", 1)
	}
	return buffer
}

func (s *server) sendChunk(c *call, value any) error {
	chunk, err := s.encode(frame.Chunk, c.id(), value, "chunk")
	if err != nil {
		return err
	}
	if err := c.takeCredit(s.out.flush); err != nil {
		release(chunk, false)
		return err
	}
	release(chunk, s.out.addWhenRoom(*chunk))
	if s.out.isDue() {
		s.out.flush()
	} else {
		s.out.flushSoon()
	}
	return nil
}

// tell sends something of a call, or of none, besides its answer.
func (s *server) tell(kind byte, id uint32, value any, root string) error {
	message, err := s.encodeDeep(kind, id, value, root, 2)
	if err != nil {
		return err
	}
	release(message, s.out.addWhenRoom(*message))
	s.out.flushSoon()
	return nil
}

func isEndOfFile(err error) bool { return errors.Is(err, io.EOF) }

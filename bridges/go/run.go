package snakepit

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"nestjs-snakepit/snakepit/internal/frame"
)

// Exit statuses.
const (
	statusCannotStart     = 1
	statusUsage           = 2
	statusProtocolFailure = 70
)

// The descriptor must not be inherited by what the program starts, whenever that is.
func init() {
	if descriptor, isThere := channelDescriptor(); isThere {
		syscall.CloseOnExec(descriptor)
		dieWithHost()
	}
}

func channelDescriptor() (int, bool) {
	if os.Getenv("SNAKEPIT_PROTOCOL") != "v2" {
		return 0, false
	}
	descriptor, err := strconv.Atoi(os.Getenv("SNAKEPIT_FD"))
	return descriptor, err == nil && descriptor > 2
}

// Run serves the host until it asks for the end, and does not return: the process ends with status 0, or 1 where the worker
// cannot start. When the host is gone, the process and its group are killed.
func (w *Worker) Run() {
	descriptor, isThere := channelDescriptor()
	if isThere {
		os.Exit(w.serve(descriptor))
	}
	complain("this program is a worker of nestjs-snakepit and is started by it: go({ package: '…' }) or go({ binary: '%s' })", os.Args[0])
	os.Exit(statusUsage)
}

func complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "snakepit: "+format+"\n", args...)
}

func (w *Worker) serve(descriptor int) int {
	// The runtime waits for descriptors that do not block without holding a thread.
	if err := syscall.SetNonblock(descriptor, true); err != nil {
		complain("the descriptor %d cannot be used: %v", descriptor, err)
		return statusCannotStart
	}
	socket := os.NewFile(uintptr(descriptor), "host")
	s := &server{worker: w, calls: map[uint32]*call{}}
	s.end = newEnding(s)
	s.out = newWriter(socket, s.end.byConnection)
	s.in = frame.NewReader(socket.Read, maxHelloBytes)
	s.end.listen()

	hello, err := readHello(s.in)
	if err != nil {
		s.end.byConnection(err)
	}
	if hello.Arena != nil && hello.Arena.FD > 2 {
		// This worker takes binary in frames.
		syscall.Close(hello.Arena.FD)
	}
	if err := s.start(hello); err != nil {
		s.out.add(failedHello(err))
		s.out.drain(drainTime)
		complain("the worker cannot start: %v", err)
		return statusCannotStart
	}
	go s.read()
	return s.end.wait()
}

// start makes the worker ready.
func (s *server) start(hello hostHello) error {
	chosen, err := hello.chooseCodec()
	if err != nil {
		return err
	}
	s.hello, s.codec, s.speaksMsgpack = hello, chosen, chosen.Name() == "msgpack"
	s.asked = newHostCalls(s)
	s.sessions = newSessions(s)
	s.gate = newLogGate(s)
	s.metrics = newMetrics(s)
	if err := s.worker.check(); err != nil {
		return err
	}
	s.forwardLogs()
	answer, err := answerHello(s.worker, chosen.Name())
	if err != nil {
		return err
	}
	for _, hook := range s.worker.onStart {
		if err := s.runHook(hook); err != nil {
			return err
		}
	}
	s.out.add(answer)
	s.out.flush()
	return nil
}

// hookContext is that of what runs outside of calls.
func (s *server) hookContext(session *Session) context.Context {
	facade := &Context{server: s, session: session}
	facade.ctx = context.WithValue(context.Background(), contextKey{}, facade)
	return facade.ctx
}

func (s *server) runHook(hook func(context.Context) error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = recovered(value)
		}
	}()
	return hook(s.hookContext(nil))
}

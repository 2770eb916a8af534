package snakepit

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// How long what is still to be told may take at the end.
const drainTime = time.Second

// ending decides how the process ends; the first cause wins.
type ending struct {
	server *server
	once   sync.Once
	status chan int
}

func newEnding(s *server) *ending { return &ending{server: s, status: make(chan int, 1)} }

// wait returns the exit status when it is decided.
func (e *ending) wait() int { return <-e.status }

func (e *ending) byConnection(err error) {
	if isGone(err) {
		endWithHost()
	}
	e.byProtocol(err)
}

func isGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// byProtocol ends at once, because the connection cannot go on.
func (e *ending) byProtocol(err error) {
	complain("protocol error: %v", err)
	os.Exit(statusProtocolFailure)
}

// endWithHost ends at once because the host is gone, and with this process its group, if it leads one.
func endWithHost() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(-os.Getpid(), syscall.SIGKILL)
	}
	os.Exit(statusCannotStart)
}

// listen makes SIGTERM an orderly end, ignores SIGINT, which terminals send to whole groups, and answers the stack signal.
func (e *ending) listen() {
	signal.Ignore(syscall.SIGINT)
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		e.server.cancelAll()
		closed := make(chan struct{})
		close(closed)
		e.inOrder(closed)
	}()
	listenForStacks()
}

// inOrder runs the clean-up when what is running is over.
func (e *ending) inOrder(over <-chan struct{}) {
	<-over
	e.once.Do(func() {
		s := e.server
		if s.sessions != nil {
			s.sessions.closeAll()
		}
		for _, hook := range s.worker.onShutdown {
			if err := s.runHook(hook); err != nil {
				complain("the shutdown hook failed: %v", err)
			}
		}
		if s.metrics != nil {
			s.metrics.flush(0)
		}
		s.out.drain(drainTime)
		e.status <- 0
	})
}

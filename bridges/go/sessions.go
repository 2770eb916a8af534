package snakepit

import (
	"context"
	"sync"
)

// sessions remembers which sessions this worker has seen, if a hook wants to know.
type sessions struct {
	server *server
	hasAny bool
	mu     sync.Mutex
	seen   map[string]*seenSession
}

type seenSession struct {
	mu     sync.Mutex
	isOpen bool
}

func newSessions(s *server) *sessions {
	return &sessions{server: s, hasAny: len(s.worker.sessionOpen)+len(s.worker.sessionClose) > 0, seen: map[string]*seenSession{}}
}

// open runs the opening hooks before a session's first call; calls of the session that come meanwhile wait.
func (s *sessions) open(c *call) error {
	if !s.hasAny {
		return nil
	}
	id := c.meta.session
	s.mu.Lock()
	session := s.seen[id]
	if session == nil {
		session = &seenSession{}
		s.seen[id] = session
	}
	s.mu.Unlock()
	session.mu.Lock()
	defer session.mu.Unlock()
	if session.isOpen {
		return nil
	}
	for _, hook := range s.server.worker.sessionOpen {
		opened := newSession(&c.facade, id)
		if err := s.server.runHook(func(context.Context) error { return hook(c, opened) }); err != nil {
			return err
		}
	}
	session.isOpen = true
	return nil
}

// close runs the closing hooks of a session that this worker has seen.
func (s *sessions) close(id string) {
	s.mu.Lock()
	session := s.seen[id]
	delete(s.seen, id)
	s.mu.Unlock()
	if session == nil {
		return
	}
	for _, hook := range s.server.worker.sessionClose {
		err := s.server.runHook(func(ctx context.Context) error { return hook(ctx, id) })
		if err != nil {
			complain("the hook for the end of the session %s failed: %v", id, err)
		}
	}
}

// closeAll runs the closing hooks of all sessions, since the worker ends.
func (s *sessions) closeAll() {
	s.mu.Lock()
	ids := make([]string, 0, len(s.seen))
	for id := range s.seen {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.close(id)
	}
}

package snakepit

import (
	"context"
	"fmt"
	"sync"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

// hostCalls are the questions that wait for the host's answers.
type hostCalls struct {
	server  *server
	mu      sync.Mutex
	last    uint32
	waiting map[uint32]chan answer
}

type answer struct {
	value any
	err   error
}

func newHostCalls(s *server) *hostCalls {
	return &hostCalls{server: s, waiting: map[uint32]chan answer{}}
}

// begin sends a question; its answer comes on the channel.
func (h *hostCalls) begin(c *Context, method string, args codec.Pairs) (chan answer, error) {
	question := codec.Pairs{{Key: "method", Value: method}, {Key: "args", Value: args}, {Key: "call", Value: c.id()}}
	if span := spanOf(c.ctx); span != nil {
		question = append(question, codec.Pair{Key: "trace", Value: span.header()})
	}
	arrived := make(chan answer, 1)
	number := h.enter(arrived)
	message, err := h.server.encodeDeep(frame.HostCall, number, question, "host_call", 2)
	if err != nil {
		h.leave(number)
		return nil, &HostError{Code: codeInvalidArguments, Message: err.Error()}
	}
	release(message, h.server.out.add(*message))
	h.server.out.flush()
	return arrived, nil
}

func (h *hostCalls) enter(arrived chan answer) uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		h.last++
		if _, isTaken := h.waiting[h.last]; h.last != 0 && !isTaken {
			h.waiting[h.last] = arrived
			return h.last
		}
	}
}

func (h *hostCalls) leave(number uint32) (chan answer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	arrived, isThere := h.waiting[number]
	delete(h.waiting, number)
	return arrived, isThere
}

// settle hands an answer to whoever waits for it.
func (h *hostCalls) settle(f frame.Frame) error {
	arrived, isThere := h.leave(f.ID)
	if !isThere {
		return fmt.Errorf("an answer to the host call %d, which was not made", f.ID)
	}
	value, err := h.server.decode(f, 2)
	if err != nil {
		return fmt.Errorf("the answer to a host call: %w", err)
	}
	if f.Kind == frame.HostError {
		arrived <- answer{nil, hostError(value)}
		return nil
	}
	arrived <- answer{value, nil}
	return nil
}

func hostError(value any) *HostError {
	members, _ := value.(map[string]any)
	text := func(name string) string { found, _ := members[name].(string); return found }
	failure := &HostError{Code: text("code"), Type: text("type"), Message: text("message"), Data: members["data"]}
	if failure.Code == "" {
		failure.Code = codeRemote
	}
	return failure
}

// ask waits for an answer as long as the context allows.
func (c *Context) ask(method string, args codec.Pairs) (any, error) {
	arrived, err := c.server.asked.begin(c, method, args)
	if err != nil {
		return nil, err
	}
	return c.await(arrived)
}

func (c *Context) await(arrived chan answer) (any, error) {
	select {
	case got := <-arrived:
		return got.value, got.err
	case <-c.ctx.Done():
		// The host's word about it says more, if it is there already.
		select {
		case got := <-arrived:
			return got.value, got.err
		default:
			return nil, context.Cause(c.ctx)
		}
	}
}

// askNamed asks a tool, or sends a message, and stores the answer.
func (c *Context) askNamed(kind, name, method string, args codec.Pairs, result any) error {
	value, err := c.ask(method, args)
	if failure, isHosts := err.(*HostError); isHosts {
		failure.Kind, failure.Name = kind, name
	}
	if err != nil || result == nil {
		return err
	}
	return codec.Bind(value, result, "the answer of the "+kind+" "+name)
}

// Tools are functions of the host, with its guards and pipes applied.
type Tools struct{ context *Context }

// Call calls a tool and stores what it returned in what result points to; nil to ignore it. args is a map or a struct, or one value.
// The error is a *HostError where the tool has thrown (its code is REMOTE_ERROR) or cannot be called.
func (t Tools) Call(name string, args, result any) error {
	question := codec.Pairs{{Key: "name", Value: name}, {Key: "args", Value: args}, {Key: "concurrent", Value: true}}
	return t.context.askNamed("tool", name, "tool.call", question, result)
}

package snakepit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

// Context is what a command may know and do besides its arguments. From finds it.
type Context struct {
	ctx     context.Context
	server  *server
	call    *call // nil in hooks
	session *Session
	input   *input
}

// From is the call that a context belongs to. It panics for a context that is none of a command's or a hook's, nor derived from one.
func From(ctx context.Context) *Context {
	found, isOurs := ctx.Value(contextKey{}).(*Context)
	if !isOurs {
		panic("snakepit.From: this context does not come from a command; pass on the one that the command got")
	}
	if found.ctx == ctx {
		return found
	}
	derived := *found
	derived.ctx = ctx
	return &derived
}

func (c *Context) id() uint32 {
	if c.call == nil {
		return 0
	}
	return c.call.id()
}

// Command is the name of the command; empty in hooks.
func (c *Context) Command() string {
	if c.call == nil || c.call.command == nil {
		return ""
	}
	return c.call.command.name
}

// CallID is the call's number in this worker; 0 in hooks.
func (c *Context) CallID() uint32 { return c.id() }

// Values are the context values that the application sent along, such as a tenant; never nil.
func (c *Context) Values() map[string]string {
	if c.call == nil || c.call.meta.context == nil {
		return map[string]string{}
	}
	return c.call.meta.context
}

// Traceparent is the current span as W3C trace context, or the caller's if nothing is recorded; empty without a trace.
func (c *Context) Traceparent() string {
	if span := spanOf(c.ctx); span != nil {
		return span.Traceparent()
	}
	if c.call == nil {
		return ""
	}
	text, _ := c.call.meta.trace["traceparent"].(string)
	return text
}

// Trace is the trace context as the caller sent it; nil without a trace.
func (c *Context) Trace() map[string]any {
	if c.call == nil {
		return nil
	}
	return c.call.meta.trace
}

// Session is the session that the call belongs to, or nil.
func (c *Context) Session() *Session {
	if c.session != nil {
		return c.session
	}
	if c.call == nil || !c.call.meta.hasSession {
		return nil
	}
	return newSession(c, c.call.meta.session)
}

// Globals are the values that all sessions of the host share.
func (c *Context) Globals() *Data { return &Data{c, "globals"} }

// Tools are functions of the host.
func (c *Context) Tools() Tools { return Tools{c} }

// Log writes records to the host's log, of all levels; they name the call.
func (c *Context) Log() *slog.Logger {
	return slog.New(&logHandler{server: c.server, call: c.id(), logger: c.Command(), level: slog.LevelDebug})
}

// Progress tells the caller how far the call is; value is anything that can be sent.
func (c *Context) Progress(value any) error {
	return c.server.tell(frame.Progress, c.id(), value, "progress")
}

// Emit sends an event: to the application's telemetry, and to its handlers of @EventPattern(name). name is a string, or what is a map in
// JSON where the handlers have one. Names that begin with "snakepit." are taken.
func (c *Context) Emit(name any, data any) error {
	text, isText := name.(string)
	if !isText {
		pattern, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text = string(pattern)
	}
	if strings.HasPrefix(text, "snakepit.") {
		return fmt.Errorf("events named snakepit.… are the library's own; choose another name than %q", text)
	}
	return c.server.tell(frame.Event, c.id(), codec.Pairs{{Key: "name", Value: text}, {Key: "data", Value: data}}, "event")
}

// Send asks the application's handler of @MessagePattern(pattern) and stores its answer in what result points to; nil to ignore it.
// The error is a *HostError where the handler has thrown, or where there is none (code UNKNOWN_PATTERN).
func (c *Context) Send(pattern, data, result any) error {
	question := codec.Pairs{{Key: "pattern", Value: pattern}, {Key: "data", Value: data}, {Key: "concurrent", Value: true}}
	return c.askNamed("message", fmt.Sprint(pattern), "message.send", question, result)
}

// Input is what the caller sends while the command runs, to be read once by one goroutine. Reading fails with a *HostError: of code
// INVALID_ARGUMENTS where the call has no input, CANCELLED where its sender has left, INPUT_FAILED where its source broke.
func (c *Context) Input() io.Reader {
	if c.call == nil {
		return &input{context: c}
	}
	owner := &c.call.facade
	c.call.mu.Lock()
	defer c.call.mu.Unlock()
	if owner.input == nil {
		owner.input = &input{context: owner}
	}
	return owner.input
}

// Metrics measures for the host's Prometheus.
func (c *Context) Metrics() *Metrics { return c.server.metrics }

package snakepit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

const (
	spansEvent        = "snakepit.spans"
	maxSpans          = 256
	maxSpanBytes      = 256 * 1024
	spansAtOnce       = 32
	maxSpanAttributes = 64
	maxSpanEvents     = 64
	maxSpanText       = 4096
	maxSpanName       = 256
)

// callTrace are the spans of a call that is sampled; nil where it is not.
type callTrace struct {
	call       *call
	traceID    string
	tracestate any
	root       *Span

	mu       sync.Mutex
	finished []any
	started  int
	bytes    int
	dropped  int
	isOver   bool
}

func traceOf(c *call) *callTrace {
	if c.meta.trace == nil {
		return nil
	}
	words, _ := c.meta.trace["traceparent"].(string)
	parts := strings.Split(words, "-")
	if len(parts) < 4 || len(parts[1]) != 32 || len(parts[2]) != 16 || len(parts[3]) != 2 || !strings.Contains("13579bdf", parts[3][1:]) {
		return nil
	}
	t := &callTrace{call: c, traceID: parts[1], tracestate: c.meta.trace["tracestate"]}
	t.root = newSpan(t, "snakepit "+c.command.name, parts[2])
	return t
}

// end sends what was recorded; the command has ended, by that failure if it failed.
func (t *callTrace) end(failure error) {
	if t == nil {
		return
	}
	var refused *refusal
	switch {
	case errors.As(failure, &refused) && (refused.code == codeCancelled || refused.code == codeTimeout):
		t.root.Event("cancelled")
	case failure != nil:
		t.root.Fail(failure)
	}
	record := t.root.record(time.Now())
	t.mu.Lock()
	t.isOver = true
	batch := append(t.finished, record)
	dropped := t.dropped
	t.finished = nil
	t.mu.Unlock()
	t.send(batch, dropped)
}

func (t *callTrace) send(batch []any, dropped int) {
	data := codec.Pairs{{Key: "spans", Value: batch}}
	if dropped > 0 {
		data = append(data, codec.Pair{Key: "dropped", Value: dropped})
	}
	_ = t.call.server.tell(frame.Event, t.call.id(), codec.Pairs{{Key: "name", Value: spansEvent}, {Key: "data", Value: data}}, "event")
}

func (t *callTrace) add(span *Span) {
	record := span.record(time.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isOver {
		return
	}
	t.bytes += 200 + len(fmt.Sprint(record))
	if t.bytes > maxSpanBytes {
		t.dropped++
		return
	}
	t.finished = append(t.finished, record)
	if len(t.finished) >= spansAtOnce {
		batch := t.finished
		t.finished = nil
		t.send(batch, 0)
	}
}

// Span is a part of a call's trace. A nil *Span is one that nobody records: its methods do nothing.
type Span struct {
	trace  *callTrace
	id     string
	parent string
	name   string
	began  time.Time

	mu         sync.Mutex
	attributes codec.Pairs
	events     []any
	failure    string
	hasEnded   bool
}

type spanKey struct{}

// Span begins a span below the current one; end it by End. Attributes are pairs of a name and a value. The context that it returns makes it the
// current one of what it is passed to. Where the call is not sampled, the span is nil, which may be used all the same.
func (c *Context) Span(name string, attributes ...any) (context.Context, *Span) {
	parent := spanOf(c.ctx)
	if parent == nil {
		return c.ctx, nil
	}
	t := parent.trace
	t.mu.Lock()
	isFull := t.isOver || t.started >= maxSpans
	if isFull {
		t.dropped++
	} else {
		t.started++
	}
	t.mu.Unlock()
	if isFull {
		return c.ctx, nil
	}
	span := newSpan(t, name, parent.id)
	span.Set(attributes...)
	return context.WithValue(c.ctx, spanKey{}, span), span
}

func newSpan(t *callTrace, name, parent string) *Span {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		panic(err)
	}
	return &Span{trace: t, id: hex.EncodeToString(id), parent: parent, name: cut(name, maxSpanName), began: time.Now()}
}

// spanOf is the span that a context is in; nil where nothing is recorded.
func spanOf(ctx context.Context) *Span {
	if span, isThere := ctx.Value(spanKey{}).(*Span); isThere {
		return span
	}
	if found, isOurs := ctx.Value(contextKey{}).(*Context); isOurs && found.call != nil && found.call.trace != nil {
		return found.call.trace.root
	}
	return nil
}

// Traceparent is the span as the value of a header `traceparent`, for what it asks of others; empty for nil.
func (s *Span) Traceparent() string {
	if s == nil {
		return ""
	}
	return "00-" + s.trace.traceID + "-" + s.id + "-01"
}

func (s *Span) header() codec.Pairs {
	header := codec.Pairs{{Key: "traceparent", Value: s.Traceparent()}}
	if text, isText := s.trace.tracestate.(string); isText && text != "" {
		header = append(header, codec.Pair{Key: "tracestate", Value: text})
	}
	return header
}

// Set adds attributes: pairs of a name and a text, number or boolean; anything else is written as text.
func (s *Span) Set(attributes ...any) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pair := range attributePairs(attributes) {
		if len(s.attributes) < maxSpanAttributes {
			s.attributes = append(s.attributes, pair)
		}
	}
}

// Event notes that something happened, now.
func (s *Span) Event(name string, attributes ...any) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) < maxSpanEvents {
		s.events = append(s.events, codec.Pairs{
			{Key: "name", Value: cut(name, maxSpanName)}, {Key: "time", Value: time.Now().UnixMicro()}, {Key: "attributes", Value: attributePairs(attributes)},
		})
	}
}

// Fail notes that what the span stands for has failed.
func (s *Span) Fail(err error) {
	if s == nil {
		return
	}
	s.Event("exception", "exception.type", kindOf(err), "exception.message", err.Error())
	s.mu.Lock()
	s.failure = cut(kindOf(err)+": "+err.Error(), maxSpanText)
	s.mu.Unlock()
}

func kindOf(err error) string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.code
	}
	return typeName(err)
}

// End ends the span; what is done to it afterwards is not sent.
func (s *Span) End() {
	if s == nil {
		return
	}
	s.mu.Lock()
	hasEnded := s.hasEnded
	s.hasEnded = true
	s.mu.Unlock()
	if !hasEnded {
		s.trace.add(s)
	}
}

func (s *Span) record(ended time.Time) codec.Pairs {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := codec.Pairs{
		{Key: "traceId", Value: s.trace.traceID}, {Key: "spanId", Value: s.id}, {Key: "parentId", Value: s.parent}, {Key: "name", Value: s.name},
		{Key: "start", Value: s.began.UnixMicro()}, {Key: "end", Value: s.began.UnixMicro() + ended.Sub(s.began).Microseconds()},
	}
	if s == s.trace.root {
		record = append(record, codec.Pair{Key: "kind", Value: "server"})
	}
	if len(s.attributes) > 0 {
		record = append(record, codec.Pair{Key: "attributes", Value: s.attributes})
	}
	if len(s.events) > 0 {
		record = append(record, codec.Pair{Key: "events", Value: s.events})
	}
	if s.failure != "" {
		record = append(record, codec.Pair{Key: "error", Value: s.failure})
	}
	return record
}

func attributePairs(attributes []any) codec.Pairs {
	pairs := codec.Pairs{}
	for i := 0; i+1 < len(attributes); i += 2 {
		value := attributes[i+1]
		switch v := value.(type) {
		case bool, int, int8, int16, int32, uint8, uint16, uint32:
		case string:
			value = cut(v, maxSpanText)
		case float64:
			if v-v != 0 {
				value = fmt.Sprint(v)
			}
		default:
			value = cut(fmt.Sprint(value), maxSpanText)
		}
		pairs = append(pairs, codec.Pair{Key: fmt.Sprint(attributes[i]), Value: value})
	}
	return pairs
}

func cut(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
	}
	return printable(text)
}

package snakepit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

const (
	recordsPerSecond = 1000
	noticeTime       = time.Second
	maxLogMessage    = 32 * 1024
	maxLogFields     = 50
	maxLogBytes      = 256 * 1024
	maxLogField      = 1000
)

// forwardLogs has log/slog, and package log, write to the host's log, unless the program has set a logger of its own.
func (s *server) forwardLogs() {
	if fmt.Sprintf("%T", slog.Default().Handler()) == "*slog.defaultHandler" {
		slog.SetDefault(slog.New(&logHandler{server: s, level: slog.LevelInfo}))
	}
}

// logHandler is a slog.Handler that sends records to the host.
type logHandler struct {
	server *server
	call   uint32
	logger string
	level  slog.Level
	// Of WithGroup, with a dot at its end, and of WithAttrs.
	prefix string
	fields codec.Pairs
}

// Enabled is part of slog.Handler.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle is part of slog.Handler. A record that is logged with a command's context names its call.
func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	if !h.server.gate.admits() {
		return nil
	}
	call, logger := h.call, h.logger
	if ctx != nil && call == 0 {
		if found, isOurs := ctx.Value(contextKey{}).(*Context); isOurs {
			call, logger = found.id(), found.Command()
		}
	}
	fields := append(codec.Pairs{}, h.fields...)
	record.Attrs(func(attr slog.Attr) bool {
		fields = appendAttr(fields, h.prefix, attr)
		return true
	})
	h.server.sendLog(call, levelName(record.Level), record.Message, logger, fields)
	return nil
}

// WithAttrs is part of slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	derived.fields = append(codec.Pairs{}, h.fields...)
	for _, attr := range attrs {
		derived.fields = appendAttr(derived.fields, h.prefix, attr)
	}
	return &derived
}

// WithGroup is part of slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	derived := *h
	derived.prefix += name + "."
	return &derived
}

func appendAttr(fields codec.Pairs, prefix string, attr slog.Attr) codec.Pairs {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, each := range value.Group() {
			fields = appendAttr(fields, prefix, each)
		}
		return fields
	}
	if attr.Key == "" {
		return fields
	}
	content := value.Any()
	switch v := content.(type) {
	case error:
		content = v.Error()
	case time.Duration:
		content = v.String()
	}
	return append(fields, codec.Pair{Key: printable(prefix + attr.Key), Value: content})
}

func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	case level < slog.LevelError+4:
		return "error"
	default:
		return "fatal"
	}
}

func (s *server) sendLog(call uint32, level, message, logger string, fields codec.Pairs) {
	if s.tellLog(call, level, message, logger, fields) != nil {
		_ = s.tellLog(call, level, message, logger, asTexts(fields))
	}
}

func (s *server) tellLog(call uint32, level, message, logger string, fields codec.Pairs) error {
	record := codec.Pairs{{Key: "level", Value: level}, {Key: "message", Value: printable(clipped(message, maxLogMessage))}}
	if logger != "" {
		record = append(record, codec.Pair{Key: "logger", Value: logger})
	}
	if len(fields) > 0 {
		record = append(record, codec.Pair{Key: "fields", Value: fields})
	}
	encoded, err := s.encodeDeep(frame.Log, call, record, "log", 2)
	if err != nil {
		return err
	}
	if len(*encoded) > maxLogBytes {
		release(encoded, true)
		return fmt.Errorf("the record takes %d bytes", len(*encoded))
	}
	release(encoded, s.out.addWhenRoom(*encoded))
	s.out.flushSoon()
	return nil
}

// clipped keeps the beginning and the end of a text that is too long.
func clipped(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	half := limit / 2
	return fmt.Sprintf("%s … %d bytes are left out … %s", text[:half], len(text)-2*half, text[len(text)-half:])
}

// asTexts are fields that cannot be sent as they are.
func asTexts(fields codec.Pairs) codec.Pairs {
	if len(fields) > maxLogFields {
		fields = fields[:maxLogFields]
	}
	texts := make(codec.Pairs, len(fields))
	for i, field := range fields {
		texts[i] = codec.Pair{Key: printable(clipped(field.Key, maxLogField)), Value: printable(clipped(fmt.Sprint(field.Value), maxLogField))}
	}
	return texts
}

// logGate lets a thousand records pass at once, and as many each second; the others are dropped, and their number is told.
type logGate struct {
	server  *server
	mu      sync.Mutex
	room    float64
	looked  time.Time
	dropped int
}

func newLogGate(s *server) *logGate {
	return &logGate{server: s, room: recordsPerSecond, looked: time.Now()}
}

func (g *logGate) admits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.room = min(recordsPerSecond, g.room+now.Sub(g.looked).Seconds()*recordsPerSecond)
	g.looked = now
	if g.room >= 1 {
		g.room--
		return true
	}
	g.dropped++
	if g.dropped == 1 {
		time.AfterFunc(noticeTime, g.tell)
	}
	return false
}

func (g *logGate) tell() {
	g.mu.Lock()
	dropped := g.dropped
	g.dropped = 0
	g.mu.Unlock()
	message := fmt.Sprintf("%d log records were dropped: more than %d a second", dropped, recordsPerSecond)
	g.server.sendLog(0, "warn", message, "snakepit.log", codec.Pairs{{Key: "dropped", Value: dropped}})
}

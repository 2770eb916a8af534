// The conformance worker: see proto/CONFORMANCE.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"nestjs-snakepit/snakepit"
)

type none struct{}

type bytesArgs struct{ N int }

type textArgs struct{ Text string }

type keyArgs struct{ Key string }

type entryArgs struct {
	Key   string
	Value any
}

func main() {
	w := snakepit.New()
	addCore(w)
	addContext(w)
	addBinary(w)
	addHost(w)
	addLife(w)
	w.Run()
}

func addCore(w *snakepit.Worker) {
	snakepit.Command(w, "echo", func(_ context.Context, args struct{ Value any }) (any, error) { return args.Value, nil })
	snakepit.Command(w, "add", func(_ context.Context, args struct{ A, B int64 }) (int64, error) { return args.A + args.B, nil })
	snakepit.Command(w, "fail_with", func(_ context.Context, args struct{ Message string }) (none, error) {
		return none{}, errors.New(args.Message)
	})
	snakepit.Command(w, "repeat_text", func(_ context.Context, args struct {
		Text  string
		Times int
	}) (string, error) {
		return strings.Repeat(args.Text, args.Times), nil
	})
	snakepit.Command(w, "nest", func(_ context.Context, args struct{ Depth int }) (any, error) {
		var nested any = 0
		for i := 0; i < args.Depth; i++ {
			nested = []any{nested}
		}
		return nested, nil
	})
	snakepit.Stream(w, "count", func(_ context.Context, args bytesArgs, emit func(int) error) error { return count(args.N, emit) })
	snakepit.Stream(w, "count_then_fail", func(_ context.Context, args struct {
		N       int
		Message string
	}, emit func(int) error) error {
		if err := count(args.N, emit); err != nil {
			return err
		}
		return errors.New(args.Message)
	})
	snakepit.Stream(w, "count_endlessly", func(ctx context.Context, _ none, emit func(int) error) error {
		defer func() { _ = snakepit.From(ctx).Emit("conformance.stream_closed", nil) }()
		for i := 0; ; i++ {
			if err := emit(i); err != nil {
				return err
			}
		}
	})
	snakepit.Command(w, "sleep_ms", func(ctx context.Context, args struct{ Ms int }) (int, error) {
		select {
		case <-time.After(time.Duration(args.Ms) * time.Millisecond):
			return args.Ms, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	snakepit.Command(w, "block_ms", func(_ context.Context, args struct{ Ms int }) (int, error) {
		time.Sleep(time.Duration(args.Ms) * time.Millisecond)
		return args.Ms, nil
	})
	snakepit.Command(w, "print_text", func(_ context.Context, args textArgs) (any, error) {
		fmt.Println(args.Text)
		fmt.Fprintln(os.Stderr, args.Text)
		return nil, nil
	})
	snakepit.Command(w, "grandchild", func(context.Context, none) (int, error) {
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			return 0, err
		}
		return child.Process.Pid, nil
	})
}

func count(n int, emit func(int) error) error {
	for i := 0; i < n; i++ {
		if err := emit(i); err != nil {
			return err
		}
	}
	return nil
}

func addContext(w *snakepit.Worker) {
	snakepit.Command(w, "fail_with_data", func(_ context.Context, args struct {
		Message string
		Data    any
	}) (any, error) {
		return nil, snakepit.Errorf("%s", args.Message).WithData(args.Data)
	})
	var meeting meetings
	snakepit.Command(w, "meet", func(ctx context.Context, args struct{ Name string }) (string, error) {
		return args.Name, meeting.wait(ctx, args.Name)
	})
	snakepit.Command(w, "deadline_ms", func(ctx context.Context, _ none) (any, error) {
		if deadline, has := ctx.Deadline(); has {
			return time.Until(deadline).Milliseconds(), nil
		}
		return nil, nil
	})
	snakepit.Command(w, "context", func(ctx context.Context, _ none) (map[string]any, error) {
		call := snakepit.From(ctx)
		facts := map[string]any{"session": nil, "trace": nil, "context": call.Values()}
		if session := call.Session(); session != nil {
			facts["session"] = session.ID
		}
		if trace := call.Trace(); trace != nil {
			facts["trace"] = trace
		}
		return facts, nil
	})
	snakepit.Command(w, "progress", func(ctx context.Context, args struct{ Values []any }) (int, error) {
		for _, value := range args.Values {
			if err := snakepit.From(ctx).Progress(value); err != nil {
				return 0, err
			}
		}
		return len(args.Values), nil
	})
	snakepit.Command(w, "log_record", func(ctx context.Context, args struct {
		Level   string `enum:"debug,info,warn,error"`
		Message string
		Fields  map[string]string
	}) (any, error) {
		var level slog.Level
		if err := level.UnmarshalText([]byte(args.Level)); err != nil {
			return nil, err
		}
		fields := []slog.Attr{}
		for key, value := range args.Fields {
			fields = append(fields, slog.String(key, value))
		}
		snakepit.From(ctx).Log().LogAttrs(ctx, level, args.Message, fields...)
		return nil, nil
	})
	snakepit.Command(w, "emit_event", func(ctx context.Context, args struct {
		Name string
		Data any
	}) (any, error) {
		return nil, snakepit.From(ctx).Emit(args.Name, args.Data)
	})
	snakepit.Command(w, "measure", func(ctx context.Context, args struct {
		Name   string
		Amount float64
	}) (any, error) {
		snakepit.From(ctx).Metrics().Count(args.Name, args.Amount, "table", "orders")
		return nil, nil
	})
	snakepit.Command(w, "span", func(ctx context.Context, args struct{ Name string }) (any, error) {
		_, span := snakepit.From(ctx).Span(args.Name)
		span.End()
		return nil, nil
	})
}

// meetings lets two calls wait for each other.
type meetings struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

func (m *meetings) wait(ctx context.Context, name string) error {
	m.mu.Lock()
	if other, isThere := m.waiting[name]; isThere {
		delete(m.waiting, name)
		close(other)
		m.mu.Unlock()
		return nil
	}
	met := make(chan struct{})
	if m.waiting == nil {
		m.waiting = map[string]chan struct{}{}
	}
	m.waiting[name] = met
	m.mu.Unlock()
	select {
	case <-met:
		return nil
	case <-ctx.Done():
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.waiting[name] == met {
			delete(m.waiting, name)
		}
		return ctx.Err()
	}
}

func addBinary(w *snakepit.Worker) {
	snakepit.Command(w, "make_bytes", func(_ context.Context, args bytesArgs) ([]byte, error) { return makeBytes(args.N), nil })
	snakepit.Command(w, "sum_bytes", func(_ context.Context, args struct{ Data []byte }) (int64, error) { return sum(args.Data), nil })
	snakepit.Stream(w, "stream_bytes", func(_ context.Context, args struct{ N, Times int }, emit func([]byte) error) error {
		return count(args.Times, func(int) error { return emit(makeBytes(args.N)) })
	})
	snakepit.Command(w, "read_input", func(ctx context.Context, args struct {
		ChunkBytes int `json:"chunk_bytes"`
	}) (map[string]int64, error) {
		chunk := make([]byte, args.ChunkBytes)
		read, total := int64(0), int64(0)
		for {
			count, err := io.ReadFull(snakepit.From(ctx).Input(), chunk)
			read += int64(count)
			total += sum(chunk[:count])
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return map[string]int64{"bytes": read, "sum": total}, nil
			}
			if err != nil {
				return nil, err
			}
		}
	})
}

func makeBytes(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func sum(data []byte) (total int64) {
	for _, each := range data {
		total += int64(each)
	}
	return total
}

func addHost(w *snakepit.Worker) {
	snakepit.Command(w, "call_tool", func(ctx context.Context, args struct {
		Name string
		Args any
	}) (any, error) {
		var returned any
		return outcome(&returned, snakepit.From(ctx).Tools().Call(args.Name, args.Args, &returned))
	})
	snakepit.Command(w, "send_message", func(ctx context.Context, args struct {
		Pattern any
		Data    any
	}) (any, error) {
		var returned any
		return outcome(&returned, snakepit.From(ctx).Send(args.Pattern, args.Data, &returned))
	})
	snakepit.Command(w, "session_put", func(ctx context.Context, args entryArgs) (any, error) {
		return nil, snakepit.From(ctx).Session().Set(args.Key, args.Value)
	})
	snakepit.Command(w, "session_get", func(ctx context.Context, args keyArgs) (value any, err error) {
		_, err = snakepit.From(ctx).Session().Get(args.Key, &value)
		return value, err
	})
	snakepit.Command(w, "session_delete", func(ctx context.Context, args keyArgs) (bool, error) {
		return snakepit.From(ctx).Session().Delete(args.Key)
	})
	snakepit.Command(w, "session_keys", func(ctx context.Context, _ none) ([]string, error) {
		return snakepit.From(ctx).Session().Keys()
	})
	snakepit.Command(w, "program_put", func(ctx context.Context, args entryArgs) (any, error) {
		return nil, snakepit.From(ctx).Session().Programs.Set(args.Key, args.Value)
	})
	snakepit.Command(w, "global_put", func(ctx context.Context, args entryArgs) (any, error) {
		return nil, snakepit.From(ctx).Globals().Set(args.Key, args.Value)
	})
}

func outcome(returned *any, err error) (any, error) {
	var refused *snakepit.HostError
	switch {
	case errors.As(err, &refused):
		return map[string]any{"failed": map[string]any{"code": refused.Code, "message": refused.Message}}, nil
	case err != nil:
		return nil, err
	default:
		return map[string]any{"returned": *returned}, nil
	}
}

func addLife(w *snakepit.Worker) {
	var mu sync.Mutex
	closed := []string{}
	w.OnSessionClose(func(_ context.Context, id string) error {
		mu.Lock()
		defer mu.Unlock()
		closed = append(closed, id)
		return nil
	})
	snakepit.Command(w, "closed_sessions", func(context.Context, none) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, closed...), nil
	})
	last := ""
	w.OnShutdown(func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if last != "" {
			fmt.Println(last)
		}
		return nil
	})
	snakepit.Command(w, "print_at_exit", func(_ context.Context, args textArgs) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		last = args.Text
		return nil, nil
	})
	snakepit.Batch(w, "batch_double", func(_ context.Context, items []bytesArgs) ([]int, error) {
		results := make([]int, len(items))
		failed := snakepit.ItemErrors{}
		for i, item := range items {
			results[i] = 2 * item.N
			if item.N < 0 {
				failed[i] = errors.New("negative")
			}
		}
		return results, failed
	}, snakepit.MaxSize(8))
}

package snakepit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nestjs-snakepit/snakepit"
	"nestjs-snakepit/snakepit/internal/frame"
)

const workerVariable = "SNAKEPIT_TEST_WORKER"

func TestMain(m *testing.M) {
	if name := os.Getenv(workerVariable); name != "" {
		workers[name]()
		return
	}
	os.Exit(m.Run())
}

type none struct{}

// The workers that tests start.
var workers = map[string]func(){
	"commands": func() { commands().Run() },
	"none":     func() { snakepit.New().Run() },
	"twice": func() {
		w := commands()
		snakepit.Command(w, "add", func(context.Context, none) (int, error) { return 0, nil })
		w.Run()
	},
	"no start": func() {
		w := commands()
		w.OnStart(func(context.Context) error { panic("no model") })
		w.Run()
	},
	"hooks": func() {
		w := commands()
		w.OnShutdown(func(ctx context.Context) error {
			fmt.Println("shut down")
			return nil
		})
		w.OnSessionOpen(func(_ context.Context, s *snakepit.Session) error {
			fmt.Println("opened " + s.ID)
			if s.ID == "refused" {
				return errors.New("no such session here")
			}
			return nil
		})
		w.OnSessionClose(func(_ context.Context, id string) error {
			fmt.Println("closed " + id)
			return nil
		})
		w.Run()
	},
}

func commands() *snakepit.Worker {
	w := snakepit.New()
	snakepit.Command(w, "add", func(_ context.Context, args struct{ A, B int }) (int, error) { return args.A + args.B, nil })
	snakepit.Command(w, "same", func(_ context.Context, args struct{ Value any }) (any, error) { return args.Value, nil })
	snakepit.Command(w, "text", func(_ context.Context, args struct{ Length int }) (string, error) {
		return strings.Repeat("x", args.Length), nil
	})
	// Quick at first: many calls later it blocks for good, in the goroutine that reads.
	var count int
	var mu sync.Mutex
	snakepit.Command(w, "sometimes", func(ctx context.Context, args struct{ Block bool }) (int, error) {
		mu.Lock()
		count++
		mine := count
		mu.Unlock()
		if args.Block {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return mine, nil
	})
	snakepit.Command(w, "wait", func(ctx context.Context, _ none) (any, error) {
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		<-derived.Done()
		return nil, derived.Err()
	})
	snakepit.Command(w, "goexit", func(context.Context, none) (any, error) {
		panic(fmt.Errorf("wrapped: %w", os.ErrClosed))
	})
	snakepit.Stream(w, "count", func(_ context.Context, args struct{ To int }, emit func(int) error) error {
		for i := 0; i < args.To; i++ {
			if err := emit(i); err != nil {
				return err
			}
		}
		return nil
	})
	snakepit.Command(w, "ask", func(ctx context.Context, _ none) (any, error) {
		var answer struct{ Price float64 }
		err := snakepit.From(ctx).Tools().Call("price.of", map[string]any{"sku": "x"}, &answer)
		return answer.Price, err
	})
	return w
}

func TestCallsThatComeTogetherAreAllAnswered(t *testing.T) {
	h := startHost(t, "commands", nil)
	const calls = 1000
	var all []byte
	for id := uint32(1); id <= calls; id++ {
		all = append(all, h.frameOf(id, "add", map[string]any{"a": int(id), "b": 1}, callOptions{})...)
	}
	go func() { _, _ = h.socket.Write(all) }()
	seen := map[uint32]bool{}
	for len(seen) < calls {
		answer := h.receive()
		if answer.Kind != frame.Result || seen[answer.ID] || h.decode(answer) != int64(answer.ID)+1 {
			t.Fatalf("%+v: %v", answer, h.decode(answer))
		}
		seen[answer.ID] = true
	}
}

func TestAQuickCommandThatBlocksHoldsUpNobody(t *testing.T) {
	h := startHost(t, "commands", nil)
	for id := uint32(1); id <= 200; id++ {
		h.result(id, "sometimes", map[string]any{"block": false})
	}
	// Together, so that those behind the one that blocks have been read when it does.
	var all []byte
	for id := uint32(1001); id <= 1020; id++ {
		all = append(all, h.frameOf(id, "sometimes", map[string]any{"block": id == 1005}, callOptions{})...)
	}
	h.write(append(all, frame.Append(nil, frame.Ping, 0, 0, 77, nil)...))
	missing := map[uint32]bool{77: true}
	for id := uint32(1001); id <= 1020; id++ {
		missing[id] = id != 1005
	}
	delete(missing, 1005)
	for len(missing) > 0 {
		answer := h.receive()
		if !missing[answer.ID] {
			t.Fatalf("%+v", answer)
		}
		delete(missing, answer.ID)
	}
	h.send(frame.Cancel, 0, 1, 1005, nil)
	failure := h.decode(h.until(frame.Error, 1005)).(map[string]any)
	if failure["code"] != "CANCELLED" || failure["started"] != true {
		t.Fatal(failure)
	}
	// And it goes on, also at that pace.
	for id := uint32(2001); id <= 2100; id++ {
		h.result(id, "sometimes", map[string]any{"block": false})
	}
}

func TestContextsDerivedFromACallEndWithIt(t *testing.T) {
	h := startHost(t, "commands", nil)
	h.call(1, "wait", nil, callOptions{})
	h.send(frame.Cancel, 0, 1, 1, nil)
	if failure := h.decode(h.until(frame.Error, 1)).(map[string]any); failure["code"] != "CANCELLED" {
		t.Fatal(failure)
	}
	if failure := h.failure(2, "wait", nil, callOptions{deadline: 20 * time.Millisecond}); failure["code"] != "CALL_TIMEOUT" {
		t.Fatal(failure)
	}
}

func TestAPanicIsAnsweredWithItsStack(t *testing.T) {
	h := startHost(t, "commands", nil)
	failure := h.failure(1, "goexit", nil, callOptions{})
	trace, _ := failure["traceback"].(string)
	if failure["code"] != "REMOTE_ERROR" || failure["type"] != "fmt.wrapError" || failure["message"] != "wrapped: file already closed" ||
		!strings.Contains(trace, "worker_test.go") {
		t.Fatal(failure)
	}
	if sum := h.result(2, "add", []any{20, 22}); sum != int64(42) {
		t.Fatal(sum)
	}
}

func TestStreamsStopWhereTheirCreditEnds(t *testing.T) {
	h := startHost(t, "commands", nil)
	h.call(1, "count", map[string]any{"to": 6}, callOptions{stream: true})
	for i := int64(0); i < 4; i++ {
		if chunk := h.until(frame.Chunk, 1); h.decode(chunk) != i {
			t.Fatalf("%+v", chunk)
		}
	}
	// What it sends now is not of the stream.
	h.send(frame.Ping, 0, 0, 9, nil)
	if next := h.receive(); next.Kind != frame.Pong {
		t.Fatalf("%+v", next)
	}
	h.send(frame.Credit, 0, 10, 1, nil)
	for i := int64(4); i < 6; i++ {
		if chunk := h.until(frame.Chunk, 1); h.decode(chunk) != i {
			t.Fatalf("%+v", chunk)
		}
	}
	h.until(frame.End, 1)
}

func TestResultsThatAreTooLargeAreRefused(t *testing.T) {
	h := startHost(t, "commands", map[string]any{"maxFrameBytes": 4096})
	if text := h.result(1, "text", []any{4000}); len(text.(string)) != 4000 {
		t.Fatal(text)
	}
	if failure := h.failure(2, "text", []any{5000}, callOptions{}); failure["code"] != "FRAME_TOO_LARGE" {
		t.Fatal(failure)
	}
}

func TestAHostCallIsAnsweredOrRefused(t *testing.T) {
	h := startHost(t, "commands", nil)
	h.call(1, "ask", nil, callOptions{})
	question := h.receive()
	asked := h.decode(question).(map[string]any)
	if question.Kind != frame.HostCall || asked["method"] != "tool.call" || asked["call"] != int64(1) {
		t.Fatal(asked)
	}
	h.send(frame.HostResult, 0, 0, question.ID, h.encode(map[string]any{"price": 2.5}))
	if price := h.decode(h.until(frame.Result, 1)); price != 2.5 {
		t.Fatal(price)
	}
	h.call(2, "ask", nil, callOptions{})
	h.send(frame.HostError, 0, 0, h.receive().ID, h.encode(map[string]any{"code": "UNKNOWN_TOOL", "message": "no tool"}))
	failure := h.decode(h.until(frame.Error, 2)).(map[string]any)
	if failure["message"] != `the tool "price.of" failed (UNKNOWN_TOOL): no tool` {
		t.Fatal(failure)
	}
}

func TestSessionsAreOpenedAndClosedOnce(t *testing.T) {
	h := startHost(t, "hooks", nil)
	inSession := func(id string) callOptions { return callOptions{meta: map[string]any{"session": id}} }
	for id := uint32(1); id <= 3; id++ {
		h.call(id, "add", []any{1, 1}, inSession("s"))
		h.until(frame.Result, id)
	}
	if failure := h.failure(4, "add", []any{1, 1}, inSession("refused")); failure["message"] != "no such session here" {
		t.Fatal(failure)
	}
	h.send(frame.SessionClosed, 0, 0, 0, h.encode("s"))
	h.send(frame.SessionClosed, 0, 0, 0, h.encode("unknown"))
	h.send(frame.Shutdown, 0, 0, 0, nil)
	if status := h.ended(); status != 0 {
		t.Fatal(status)
	}
	if said := h.stdout.String(); said != "opened s\nopened refused\nclosed s\nclosed refused\nshut down\n" {
		t.Fatal(said)
	}
}

func TestShuttingDownWaitsForCallsAndSIGTERMDoesNot(t *testing.T) {
	h := startHost(t, "hooks", nil)
	h.call(1, "wait", nil, callOptions{})
	h.send(frame.Shutdown, 0, 0, 0, nil)
	h.send(frame.Ping, 0, 0, 9, nil)
	h.until(frame.Pong, 9)
	h.send(frame.Cancel, 0, 1, 1, nil)
	h.until(frame.Error, 1)
	if status := h.ended(); status != 0 || h.stdout.String() != "shut down\n" {
		t.Fatal(status, h.stdout.String())
	}
	h = startHost(t, "hooks", nil)
	h.call(1, "wait", nil, callOptions{})
	_ = h.process.Process.Signal(syscall.SIGTERM)
	if status := h.ended(); status != 0 || h.stdout.String() != "shut down\n" {
		t.Fatal(status, h.stdout.String())
	}
}

func TestTheWorkerEndsWithItsHost(t *testing.T) {
	h := startHost(t, "commands", nil)
	h.call(1, "wait", nil, callOptions{})
	h.socket.Close()
	h.ended()
	if status := h.process.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatal(h.process.ProcessState)
	}
}

func TestBreachesOfTheProtocolEndTheWorker(t *testing.T) {
	for name, data := range map[string][]byte{
		"an unknown kind":        frame.Append(nil, 0x7f, 0, 0, 0, nil),
		"a frame of the worker":  frame.Append(nil, frame.Result, 0, 0, 1, nil),
		"a frame too large":      append([]byte{0xff, 0xff, 0xff, 0xff}, make([]byte, 8)...),
		"a call of id 0":         frame.Append(nil, frame.Call, 0, 0, 0, nil),
		"a malformed body":       frame.Append(nil, frame.Call, 0, 0, 1, []byte{0xc1}),
		"meta that is none":      frame.Append(nil, frame.Call, frame.FlagMeta, 0, 1, []byte{0x01}),
		"a deadline that is not": frame.Append(nil, frame.Call, frame.FlagDeadline, 0, 1, []byte{0x01}),
		"an answer to nothing":   frame.Append(nil, frame.HostResult, 0, 0, 5, nil),
	} {
		t.Run(name, func(t *testing.T) {
			h := startHost(t, "commands", nil)
			h.write(data)
			if status := h.ended(); status != 70 || !strings.Contains(h.stderr.String(), "protocol error") {
				t.Fatal(status, h.stderr.String())
			}
		})
	}
}

func TestAWorkerThatCannotStartSaysWhy(t *testing.T) {
	for name, want := range map[string]string{
		"none":     "the worker has no command",
		"twice":    `two commands named "add": `,
		"no start": "no model",
	} {
		t.Run(name, func(t *testing.T) {
			h := startHost(t, name, nil)
			failure, _ := h.hello["error"].(map[string]any)
			message, _ := failure["message"].(string)
			if !strings.Contains(message, want) || h.ended() != 1 {
				t.Fatal(h.hello)
			}
		})
	}
	h := startHost(t, "commands", map[string]any{"codecs": []string{"cbor"}})
	if failure, _ := h.hello["error"].(map[string]any); !strings.Contains(failure["message"].(string), "cbor") {
		t.Fatal(h.hello)
	}
}

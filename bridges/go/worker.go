package snakepit

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"nestjs-snakepit/snakepit/internal/codec"
)

// Worker is what a program offers: its commands, streams, batches and hooks. Add them all before Run.
type Worker struct {
	commands     []*command
	byName       map[string]*command
	problems     []string
	onStart      []func(context.Context) error
	onShutdown   []func(context.Context) error
	sessionOpen  []func(context.Context, *Session) error
	sessionClose []func(context.Context, string) error
}

// New makes a worker without commands.
func New() *Worker { return &Worker{byName: map[string]*command{}} }

// Option describes a command further.
type Option func(*command)

// Doc says what a command does, in the manifest and wherever that is read.
func Doc(text string) Option { return func(c *command) { c.doc = text } }

// Command adds a command: a function that answers a call by a result or an error.
//
// Its arguments are those of the caller: a map by the names of A's fields, a list by their order. A field is required unless it is a
// pointer or its json tag says omitempty; what does not fit is answered by INVALID_ARGUMENTS before the function runs. Several calls run at
// the same time, each in a goroutine.
func Command[A, R any](w *Worker, name string, run func(context.Context, A) (R, error), options ...Option) {
	w.add(&command{
		name: name, kind: kindCall, contract: codec.ContractOf(typeOf[A](), typeOf[R]()), handler: locate(run),
		run: func(ctx context.Context, arguments any) (any, error) {
			var args A
			if err := codec.BindArguments(arguments, &args); err != nil {
				return nil, misfitOf(err)
			}
			return run(ctx, args)
		},
		direct: directly(run),
	}, options)
}

// directly runs a command by the body of its call, where that may be read so; else false, without running it.
func directly[A, R any](run func(context.Context, A) (R, error)) func(context.Context, []byte) (any, bool, error) {
	reader := codec.DirectOf(typeOf[A]())
	if reader == nil {
		return nil
	}
	return func(ctx context.Context, body []byte) (any, bool, error) {
		var args A
		if !reader.Read(body, &args) {
			return nil, false, nil
		}
		result, err := run(ctx, args)
		return result, true, err
	}
}

// Stream adds a command that answers by many values, each sent by emit.
//
// emit waits while the caller has not taken what was sent before. Once the caller has left or the deadline has passed it returns an error; return
// that, after cleaning up. It may be called by several goroutines.
func Stream[A, T any](w *Worker, name string, run func(ctx context.Context, args A, emit func(T) error) error, options ...Option) {
	w.add(&command{
		name: name, kind: kindStream, contract: codec.ContractOf(typeOf[A](), typeOf[T]()), handler: locate(run),
		stream: func(ctx context.Context, arguments any, emit func(any) error) error {
			var args A
			if err := codec.BindArguments(arguments, &args); err != nil {
				return misfitOf(err)
			}
			return run(ctx, args, func(value T) error { return emit(value) })
		},
	}, options)
}

// OnStart adds a function that runs before the worker is ready; an error keeps the worker from starting.
func (w *Worker) OnStart(hook func(context.Context) error) { w.onStart = append(w.onStart, hook) }

// OnShutdown adds a function that runs when the worker ends in good order, or by SIGTERM.
func (w *Worker) OnShutdown(hook func(context.Context) error) {
	w.onShutdown = append(w.onShutdown, hook)
}

// OnSessionOpen adds a function that runs before a session's first call in this worker; an error fails that call.
func (w *Worker) OnSessionOpen(hook func(context.Context, *Session) error) {
	w.sessionOpen = append(w.sessionOpen, hook)
}

// OnSessionClose adds a function that runs after a session has ended, with its id; its data is gone by then.
func (w *Worker) OnSessionClose(hook func(ctx context.Context, id string) error) {
	w.sessionClose = append(w.sessionClose, hook)
}

const (
	kindCall    = "call"
	kindStream  = "stream"
	maxCommands = 65535
)

type command struct {
	name     string
	kind     string
	doc      string
	contract codec.Contract
	batch    *batchSettings
	handler  place
	added    place
	run      func(ctx context.Context, arguments any) (any, error)
	// The same from the body itself; nil where the arguments' type does not allow that.
	direct func(ctx context.Context, body []byte) (result any, fits bool, err error)
	stream func(ctx context.Context, arguments any, emit func(any) error) error
	pace   *pace
}

// place is where something stands in the program's source.
type place struct {
	function string
	file     string
	line     int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

func locate(function any) place {
	value := reflect.ValueOf(function)
	if value.IsNil() {
		return place{}
	}
	found := runtime.FuncForPC(value.Pointer())
	file, line := found.FileLine(found.Entry())
	return place{found.Name(), file, line}
}

func typeOf[T any]() reflect.Type { return reflect.TypeOf((*T)(nil)).Elem() }

// add is called by the functions that the program calls itself.
func (w *Worker) add(c *command, options []Option) {
	if _, file, line, ok := runtime.Caller(2); ok {
		c.added = place{"", file, line}
	}
	c.pace = newPace()
	for _, option := range options {
		option(c)
	}
	switch other := w.byName[c.name]; {
	case c.name == "":
		w.problems = append(w.problems, fmt.Sprintf("the command added at %s has no name", c.added))
	case c.handler.function == "":
		w.problems = append(w.problems, fmt.Sprintf("the command %q added at %s has no function", c.name, c.added))
	case other != nil:
		w.problems = append(w.problems, fmt.Sprintf("two commands named %q: %s and %s; rename one", c.name, other.added, c.added))
	}
	w.byName[c.name] = c
	w.commands = append(w.commands, c)
}

// check tells why the worker cannot start, by a failure with the place in the source.
func (w *Worker) check() error {
	switch {
	case len(w.problems) > 0:
		return startFailure(w.problems[0])
	case len(w.commands) == 0:
		return startFailure("the worker has no command; add one by snakepit.Command(w, name, function) before w.Run()")
	case len(w.commands) > maxCommands:
		return startFailure(fmt.Sprintf("the worker has %d commands; at most %d are possible", len(w.commands), maxCommands))
	}
	return nil
}

func (w *Worker) manifest() []any {
	described := make([]any, len(w.commands))
	for i, c := range w.commands {
		entry := codec.Pairs{{Key: "name", Value: c.name}, {Key: "kind", Value: c.kind}}
		if c.doc != "" {
			entry = append(entry, codec.Pair{Key: "doc", Value: c.doc})
		}
		entry = append(entry, codec.Pair{Key: "schema", Value: c.contract.Schema})
		if c.contract.Positional != nil {
			entry = append(entry, codec.Pair{Key: "positional", Value: c.contract.Positional})
		}
		entry = append(entry, codec.Pair{Key: "result", Value: c.contract.Result})
		if c.batch != nil {
			entry = append(entry, codec.Pair{Key: "batch", Value: c.batch.describe()})
		}
		described[i] = entry
	}
	return described
}

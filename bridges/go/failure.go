package snakepit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"nestjs-snakepit/snakepit/internal/codec"
)

// Codes of the protocol that a worker sends.
const (
	codeRemote           = "REMOTE_ERROR"
	codeInvalidArguments = "INVALID_ARGUMENTS"
	codeUnknownCommand   = "UNKNOWN_COMMAND"
	codeInvalidResult    = "INVALID_RESULT"
	codeTooLarge         = "FRAME_TOO_LARGE"
	codeCancelled        = "CANCELLED"
	codeTimeout          = "CALL_TIMEOUT"
)

// Error is an error with what callers see besides its message. Errorf makes one.
type Error struct {
	// What callers see as the error's class; "Error" where it is empty.
	Type    string
	Message string
	// Sent along if it can be encoded.
	Data  any
	cause error
	stack []uintptr
}

// Errorf makes an Error that knows the stack it was made on; the format is that of fmt.Errorf, %w included.
func Errorf(format string, args ...any) *Error {
	made := fmt.Errorf(format, args...)
	stack := make([]uintptr, 64)
	return &Error{Message: made.Error(), cause: errors.Unwrap(made), stack: stack[:runtime.Callers(2, stack)]}
}

// WithType sets the class that callers see.
func (e *Error) WithType(name string) *Error { e.Type = name; return e }

// WithData sets what is sent along.
func (e *Error) WithData(data any) *Error { e.Data = data; return e }

func (e *Error) Error() string { return e.Message }

// Unwrap is the error that %w stood for.
func (e *Error) Unwrap() error { return e.cause }

// InvalidArguments refuses a call before anything was done: the caller gets INVALID_ARGUMENTS, as for arguments that do not fit. path says
// where the fault is, such as "args.month".
func InvalidArguments(path, message string) error {
	return &refusal{code: codeInvalidArguments, message: path + ": " + message, data: codec.Pairs{{Key: "path", Value: path}}}
}

// HostError is what the host answers when it refuses what a command asked of it, or when a tool or a handler of messages has failed there.
type HostError struct {
	// REMOTE_ERROR where something was thrown in the host.
	Code string
	// Class, message and data of what was thrown.
	Type    string
	Message string
	Data    any
	// What was asked: "tool" or "message", and its name; both empty elsewhere.
	Kind string
	Name string
}

func (e *HostError) Error() string {
	switch {
	case e.Kind == "":
		return e.Message
	case e.Code == codeRemote && e.Kind == "tool":
		kind := e.Type
		if kind == "" {
			kind = "an error"
		}
		return fmt.Sprintf("the tool %q threw %s: %s", e.Name, kind, e.Message)
	case e.Code == codeRemote:
		return fmt.Sprintf("the %s %q failed: %s", e.Kind, e.Name, e.Message)
	default:
		return fmt.Sprintf("the %s %q failed (%s): %s", e.Kind, e.Name, e.Code, e.Message)
	}
}

// Is makes errors.Is(err, context.Canceled) true where the call ended before the answer.
func (e *HostError) Is(target error) bool {
	return e.Code == codeCancelled && target == context.Canceled
}

func (e *HostError) remoteData() codec.Pairs {
	data := codec.Pairs{{Key: "code", Value: e.Code}}
	if e.Kind != "" {
		kind := nullable(e.Type)
		data = append(codec.Pairs{{Key: e.Kind, Value: e.Name}}, append(data, codec.Pair{Key: "type", Value: kind}, codec.Pair{Key: "data", Value: e.Data})...)
	}
	return data
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// refusal is an answer of this package's own making.
type refusal struct {
	code    string
	message string
	data    codec.Pairs
	started *bool
}

func (r *refusal) Error() string { return r.message }

func misfitOf(err error) error {
	var misfit *codec.ValueError
	if errors.As(err, &misfit) {
		return &refusal{code: codeInvalidArguments, message: misfit.Error(), data: codec.Pairs{{Key: "path", Value: misfit.Path}}}
	}
	return &refusal{code: codeInvalidArguments, message: err.Error()}
}

func cancelled(started bool) error {
	if started {
		return &refusal{code: codeCancelled, message: "the call was cancelled", started: &started}
	}
	return &refusal{code: codeCancelled, message: "the call was cancelled before it began", started: &started}
}

type startProblem struct{ message string }

func (e *startProblem) Error() string { return e.message }

func startFailure(message string) error { return &startProblem{message} }

// panicked is a panic of a handler.
type panicked struct {
	value any
	stack []uintptr
}

func (p *panicked) Error() string { return fmt.Sprint(p.value) }

func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// recovered turns the panic that is under way, if there is one, into an error. To be called by a deferred function.
func recovered(value any) error {
	stack := make([]uintptr, 64)
	return &panicked{value, stack[:runtime.Callers(3, stack)]}
}

const maxErrorText = 8192

// errorMap describes an error; its data apart, since that may be impossible to send.
func errorMap(err error, from *command) (described codec.Pairs, data any) {
	var refused *refusal
	if errors.As(err, &refused) {
		described = codec.Pairs{{Key: "code", Value: refused.code}, {Key: "message", Value: printable(err.Error())}}
		if refused.started != nil {
			described = append(described, codec.Pair{Key: "started", Value: *refused.started})
		}
		if refused.data != nil {
			data = refused.data
		}
		return described, data
	}
	return codec.Pairs{
		{Key: "code", Value: codeRemote},
		{Key: "type", Value: typeName(err)},
		{Key: "message", Value: printable(err.Error())},
		{Key: "traceback", Value: printable(trace(err, from))},
	}, dataOf(err)
}

func dataOf(err error) any {
	var ours *Error
	if errors.As(err, &ours) && ours.Data != nil {
		return ours.Data
	}
	var carrier interface{ ErrorData() any }
	if errors.As(err, &carrier) {
		return carrier.ErrorData()
	}
	var host *HostError
	if errors.As(err, &host) {
		return host.remoteData()
	}
	return nil
}

func typeName(err error) string {
	var ours *Error
	switch failure := err.(type) {
	case *Error:
		ours = failure
	case *startProblem:
		return "StartupError"
	case *panicked:
		if inner, isError := failure.value.(error); isError {
			return strings.TrimPrefix(reflect.TypeOf(inner).String(), "*")
		}
		return "panic"
	}
	if ours == nil {
		return strings.TrimPrefix(reflect.TypeOf(err).String(), "*")
	}
	if ours.Type == "" {
		return "Error"
	}
	return ours.Type
}

// trace is the stack of a panic or of an Error, else what the error writes for %+v, and where the command is that returned it.
func trace(err error, from *command) string {
	text := typeName(err) + ": " + err.Error()
	var ours *Error
	var panic *panicked
	switch {
	case errors.As(err, &panic):
		text = "panic: " + panic.Error() + "\n" + frames(panic.stack)
	case errors.As(err, &ours) && len(ours.stack) > 0:
		text += "\n" + frames(ours.stack)
	default:
		if detailed := fmt.Sprintf("%+v", err); detailed != err.Error() {
			text = typeName(err) + ": " + detailed
		}
	}
	if from != nil && from.handler.function != "" {
		text += fmt.Sprintf("\nin command %q: %s\n\t%s", from.name, from.handler.function, from.handler)
	}
	return text
}

// frames writes a stack as Go does, from the first function that is neither the runtime's nor this package's to the last that is not this package's.
func frames(stack []uintptr) string {
	var lines []string
	all := runtime.CallersFrames(stack)
	for {
		frame, more := all.Next()
		isRuntime := strings.HasPrefix(frame.Function, "runtime.")
		isOwn := strings.HasPrefix(frame.Function, ownPackage+".")
		if isOwn && len(lines) > 0 {
			break
		}
		if frame.Function != "" && !isOwn && (!isRuntime || len(lines) > 0) {
			lines = append(lines, fmt.Sprintf("%s(…)\n\t%s:%d", frame.Function, frame.File, frame.Line))
		}
		if !more {
			break
		}
	}
	return strings.Join(lines, "\n")
}

var ownPackage = reflect.TypeOf(Worker{}).PkgPath()

// printable is a text that the wire can carry.
func printable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func shorten(described codec.Pairs) codec.Pairs {
	var short codec.Pairs
	for _, pair := range described {
		if pair.Key == "data" || pair.Key == "traceback" {
			continue
		}
		if text, isText := pair.Value.(string); isText && len(text) > maxErrorText {
			pair.Value = printable(text[:maxErrorText]) + "…"
		}
		short = append(short, pair)
	}
	return short
}

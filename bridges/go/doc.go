// Package snakepit makes a Go program a worker of nestjs-snakepit: functions that a NestJS application calls.
//
//	func main() {
//		w := snakepit.New()
//		snakepit.Command(w, "add", func(ctx context.Context, args struct{ A, B int }) (int, error) {
//			return args.A + args.B, nil
//		})
//		w.Run()
//	}
//
// The context of a command is cancelled when its caller leaves, and has the call's deadline. From(ctx) is the rest of what a command may know
// and do: session, tools, log, progress, events, metrics, spans, input.
package snakepit

import "nestjs-snakepit/snakepit/internal/codec"

// Typed is a typed array, as a caller in JavaScript sends and receives it; slices of numbers take one as well.
type Typed = codec.Typed

// Number is what typed arrays hold.
type Number = codec.Number

// TypedOf makes a typed array of numbers, which it copies: a result that is a plain slice arrives as a list.
func TypedOf[T Number](numbers []T) Typed { return codec.TypedOf(numbers) }

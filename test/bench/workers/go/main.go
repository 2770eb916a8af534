// The commands that the bench calls.
package main

import (
	"context"

	"nestjs-snakepit/snakepit"
)

func main() {
	w := snakepit.New()
	snakepit.Command(w, "add", func(_ context.Context, args struct{ A, B int }) (int, error) { return args.A + args.B, nil })
	w.Run()
}

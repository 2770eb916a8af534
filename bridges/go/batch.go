package snakepit

import (
	"context"
	"fmt"
	"sort"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
)

// ItemErrors are the failures of some calls of a batch, by their position; the others succeed. A batch returns it as its error.
type ItemErrors map[int]error

func (e ItemErrors) Error() string { return fmt.Sprintf("%d calls of the batch failed", len(e)) }

// MaxSize says how many calls a batch may stand for, 1 to 10000; what is left out is for the host to say.
func MaxSize(calls int) Option { return func(c *command) { c.batched().maxSize = calls } }

// MaxWait says how long the host may wait for a batch to fill; in whole milliseconds, at most a minute.
func MaxWait(wait time.Duration) Option { return func(c *command) { c.batched().maxWait = &wait } }

type batchSettings struct {
	maxSize int
	maxWait *time.Duration
	runMany func(s *server, c *call, arguments any) (any, error)
}

func (c *command) batched() *batchSettings {
	if c.batch == nil {
		c.batch = &batchSettings{}
	}
	return c.batch
}

func (b *batchSettings) describe() codec.Pairs {
	described := codec.Pairs{}
	if b.maxSize != 0 {
		described = append(described, codec.Pair{Key: "maxSize", Value: b.maxSize})
	}
	if b.maxWait != nil {
		described = append(described, codec.Pair{Key: "maxWaitMs", Value: b.maxWait.Milliseconds()})
	}
	return described
}

// Batch adds a command that serves several calls at once: run gets the arguments of each and returns as many results, in order. Where only
// some calls fail, it returns ItemErrors besides.
func Batch[A, R any](w *Worker, name string, run func(ctx context.Context, items []A) ([]R, error), options ...Option) {
	perform := func(ctx context.Context, arguments []any) ([]any, ItemErrors, error) {
		items := make([]A, 0, len(arguments))
		positions := make([]int, 0, len(arguments))
		failed := ItemErrors{}
		for i, each := range arguments {
			var item A
			if err := codec.BindArguments(each, &item); err != nil {
				failed[i] = misfitOf(err)
				continue
			}
			items = append(items, item)
			positions = append(positions, i)
		}
		results := make([]any, len(arguments))
		if len(items) == 0 {
			return results, failed, nil
		}
		made, err := run(ctx, items)
		some, isSome := err.(ItemErrors)
		switch {
		case err != nil && !isSome:
			return nil, nil, err
		case len(made) != len(items):
			message := fmt.Sprintf("%s returned %d results for a batch of %d calls; it has to return one for each call, in order", name, len(made), len(items))
			return nil, nil, &refusal{code: codeInvalidResult, message: message}
		}
		for i, position := range positions {
			if failure := some[i]; failure != nil {
				failed[position] = failure
			} else {
				results[position] = made[i]
			}
		}
		return results, failed, nil
	}
	c := &command{
		name: name, kind: kindCall, contract: codec.ContractOf(typeOf[A](), typeOf[R]()), handler: locate(run),
		run: func(ctx context.Context, arguments any) (any, error) {
			results, failed, err := perform(ctx, []any{arguments})
			if err == nil {
				err = failed[0]
			}
			if err != nil {
				return nil, err
			}
			return results[0], nil
		},
	}
	c.batched().runMany = func(s *server, call *call, arguments any) (any, error) {
		list, isList := arguments.([]any)
		if !isList {
			return nil, &refusal{code: codeInvalidArguments, message: name + ": the arguments of a batch are no list"}
		}
		results, failed, err := perform(call, list)
		if err != nil {
			return nil, err
		}
		return s.batchAnswer(call, results, failed), nil
	}
	w.add(c, options)
}

// What surrounds one result, or one error, at most.
const entryBytes = 16

// batchAnswer is `[results, errors]`. A result that cannot be sent, or finds no room beside the others, becomes the error of its own call.
func (s *server) batchAnswer(c *call, results []any, failed ItemErrors) any {
	sizes := map[int]int{}
	room := s.hello.MaxFrameBytes - entryBytes
	for i, result := range results {
		if failed[i] != nil {
			continue
		}
		encoded, err := s.encode(0, 0, result, "result")
		if err != nil {
			failed[i] = err
			continue
		}
		sizes[i] = len(*encoded) + entryBytes
		room -= sizes[i]
		release(encoded, false)
	}
	bySize := make([]int, 0, len(sizes))
	for i := range sizes {
		bySize = append(bySize, i)
	}
	sort.Slice(bySize, func(a, b int) bool { return sizes[bySize[a]] > sizes[bySize[b]] })
	for _, i := range bySize {
		if room >= 0 {
			break
		}
		room += sizes[i]
		failed[i] = &refusal{code: codeTooLarge, message: fmt.Sprintf("the result takes %d bytes; there is no room for it beside the others of its batch", sizes[i])}
	}
	positions := make([]int, 0, len(failed))
	for i := range failed {
		positions = append(positions, i)
		results[i] = nil
	}
	sort.Ints(positions)
	var errors any
	list := make([]any, len(positions))
	for at, i := range positions {
		list[at] = []any{i, s.sendable(failed[i], c.command)}
		errors = list
	}
	return []any{results, errors}
}

// sendable is an error map that can be sent.
func (s *server) sendable(err error, from *command) codec.Pairs {
	described, data := errorMap(err, from)
	if data == nil {
		return described
	}
	whole := append(described[:len(described):len(described)], codec.Pair{Key: "data", Value: data})
	encoded, failure := s.encode(0, 0, whole, "error")
	if failure != nil {
		return described
	}
	release(encoded, false)
	return whole
}

// Primes, by all CPUs at once: what Go is good at.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"nestjs-snakepit/snakepit"
)

type Bounds struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}

func count(ctx context.Context, args Bounds) (int, error) {
	if args.From > args.To {
		return 0, fmt.Errorf("%d is more than %d", args.From, args.To)
	}
	const parts = 8
	counts := make([]int, parts)
	var group sync.WaitGroup
	for part := range counts {
		group.Add(1)
		go func(part int) {
			defer group.Done()
			for n := args.From + part; n <= args.To && ctx.Err() == nil; n += parts {
				if isPrime(n) {
					counts[part]++
				}
			}
		}(part)
	}
	group.Wait()
	total := 0
	for _, each := range counts {
		total += each
	}
	return total, ctx.Err()
}

func primes(_ context.Context, args Bounds, emit func(int) error) error {
	for n := args.From; n <= args.To; n++ {
		if isPrime(n) {
			if err := emit(n); err != nil {
				return err // the caller has left
			}
		}
	}
	return nil
}

func wait(ctx context.Context, args struct{ Ms int }) (string, error) {
	select {
	case <-time.After(time.Duration(args.Ms) * time.Millisecond):
		return "waited", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func main() {
	w := snakepit.New()
	snakepit.Command(w, "count", count)
	snakepit.Stream(w, "primes", primes)
	snakepit.Command(w, "wait", wait)
	w.Run()
}

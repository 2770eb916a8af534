package snakepit

import (
	"errors"
	"io"

	"nestjs-snakepit/snakepit/internal/codec"
)

const inputChunk = 256 * 1024

// input reads what the caller sends; one chunk is on its way while the one before it is worked on.
type input struct {
	context *Context
	chunk   []byte
	ahead   chan answer
	err     error
}

func (i *input) Read(to []byte) (int, error) {
	if len(to) == 0 {
		return 0, nil
	}
	for len(i.chunk) == 0 {
		if i.err != nil {
			return 0, i.err
		}
		i.err = i.next()
	}
	count := copy(to, i.chunk)
	i.chunk = i.chunk[count:]
	return count, nil
}

func (i *input) ask() error {
	ahead, err := i.context.server.asked.begin(i.context, "input.read", codec.Pairs{{Key: "maxBytes", Value: inputChunk}})
	i.ahead = ahead
	return err
}

func (i *input) next() error {
	if i.ahead == nil {
		if err := i.ask(); err != nil {
			return err
		}
	}
	value, err := i.context.await(i.ahead)
	i.ahead = nil
	if err != nil {
		return err
	}
	if value == nil {
		return io.EOF
	}
	chunk, isBinary := value.([]byte)
	if !isBinary {
		return errors.New("the host sent input that is not binary")
	}
	i.chunk = chunk
	return i.ask()
}

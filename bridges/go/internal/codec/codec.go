// Package codec turns Go values into bodies of frames and back, as "Values" in proto/PROTOCOL.md says.
package codec

import (
	"errors"
	"fmt"
)

// Codec encodes and decodes bodies. It may be used by several goroutines.
type Codec interface {
	Name() string
	// Append adds the body of a value to dst. A *ValueError says what cannot be sent, and where it stands below root.
	Append(dst []byte, value any, root string, extraDepth int) (out []byte, isTagged bool, err error)
	// Decode reads a whole body into nil, bool, int64, uint64 (beyond int64 only), float64, string, []byte, time.Time, Typed, []any and
	// map[string]any. ErrTooDeep is a well-formed body that is refused; any other error is a breach of the protocol. Large binary
	// shares the memory of the body.
	Decode(body []byte, isTagged bool, extraDepth int) (any, error)
}

// Limits of values.
type Limits struct {
	// How deep values may be nested; a scalar has depth 0.
	MaxDepth int
	// Whether the other side understands typed arrays; else they are sent as binary.
	TypedArrays bool
}

// ErrTooDeep says that a value which came in is nested too deeply.
var ErrTooDeep = errors.New("nested too deeply")

// ValueError is about a value that cannot be sent or taken: where it stands, and what is wrong with it.
type ValueError struct {
	Path   string
	Reason string
}

func (e *ValueError) Error() string { return e.Path + ": " + e.Reason }

func (e *ValueError) within(segment string) *ValueError {
	e.Path = segment + e.Path
	return e
}

func refuse(format string, args ...any) *ValueError {
	return &ValueError{Reason: fmt.Sprintf(format, args...)}
}

// New makes the codec of that name, which is "msgpack" or "json".
func New(name string, limits Limits) Codec {
	if name == "msgpack" {
		return &msgpackCodec{limits}
	}
	return &jsonCodec{limits}
}

// Binary of this size and more is not copied out of its body.
const sharedBinary = 32 * 1024

// own is binary that may be kept.
func own(data []byte) []byte {
	if len(data) >= sharedBinary {
		return data
	}
	return append(make([]byte, 0, len(data)), data...)
}

// Pair is one entry of a Pairs.
type Pair struct {
	Key   string
	Value any
}

// Pairs is a map that is sent in this order.
type Pairs []Pair

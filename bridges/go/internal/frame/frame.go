// Package frame reads the frames of protocol v2.
package frame

import (
	"encoding/binary"
	"fmt"
)

// Kinds of frames.
const (
	Hello         = 0x01
	Call          = 0x10
	Cancel        = 0x11
	Credit        = 0x12
	Shutdown      = 0x13
	SessionClosed = 0x14
	Release       = 0x15
	Result        = 0x20
	Error         = 0x21
	Chunk         = 0x22
	End           = 0x23
	Progress      = 0x24
	Log           = 0x25
	Event         = 0x26
	Ping          = 0x30
	Pong          = 0x31
	HostCall      = 0x40
	HostResult    = 0x41
	HostError     = 0x42
)

// Flags of frames.
const (
	FlagStream   = 0x01
	FlagDeadline = 0x02
	FlagMeta     = 0x04
	FlagTagged   = 0x80
)

// HeaderBytes is how long a header is.
const HeaderBytes = 12

// NamedCommand is the index of a call whose command is named in its meta.
const NamedCommand = 65535

// LargeBytes is from where on the memory of a body is its own; smaller ones share theirs with other frames.
const LargeBytes = chunkBytes - HeaderBytes + 1

// Frame is one frame. Its body belongs to whoever receives it, though keeping a part of a small one keeps the memory of others, too.
type Frame struct {
	Kind  byte
	Flags byte
	Aux   uint16
	ID    uint32
	Body  []byte
}

// Put writes a header.
func Put(header []byte, kind, flags byte, aux uint16, id uint32, bodyBytes int) {
	binary.BigEndian.PutUint32(header, uint32(bodyBytes))
	header[4] = kind
	header[5] = flags
	binary.BigEndian.PutUint16(header[6:], aux)
	binary.BigEndian.PutUint32(header[8:], id)
}

// Append adds a frame to dst.
func Append(dst []byte, kind, flags byte, aux uint16, id uint32, body []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, HeaderBytes)...)
	Put(dst[at:], kind, flags, aux, id, len(body))
	return append(dst, body...)
}

const chunkBytes = 64 * 1024

// Reader cuts a row of bytes into frames. One goroutine uses it at a time.
type Reader struct {
	// A frame whose body is larger is refused from its header.
	MaxBytes int
	read     func([]byte) (int, error)
	buffer   []byte
	from, to int
	// What of the buffer has come by the last read, in memory of its own for the bodies of its frames.
	block     []byte
	blockFrom int
}

// NewReader makes a reader; read fills a buffer with what has come, waiting for it, as io.Reader does.
func NewReader(read func([]byte) (int, error), maxBytes int) *Reader {
	return &Reader{MaxBytes: maxBytes, read: read, buffer: make([]byte, chunkBytes)}
}

// TooLarge is a frame that exceeds what was agreed.
type TooLarge struct{ Length, Limit int }

func (e *TooLarge) Error() string {
	return fmt.Sprintf("a frame of %d bytes, where at most %d were agreed", e.Length, e.Limit)
}

// Next is the next frame, for which it waits.
func (r *Reader) Next() (Frame, error) {
	for {
		frame, isWhole, err := r.Parse()
		if isWhole || err != nil {
			return frame, err
		}
		if err := r.Fill(); err != nil {
			return Frame{}, err
		}
	}
}

// Parse is the next frame of the bytes that have come; false where none is whole.
func (r *Reader) Parse() (Frame, bool, error) {
	if r.to-r.from < HeaderBytes {
		return Frame{}, false, nil
	}
	header := r.buffer[r.from:]
	length := int(binary.BigEndian.Uint32(header))
	if length > r.MaxBytes {
		return Frame{}, false, &TooLarge{length, r.MaxBytes}
	}
	have := r.to - r.from - HeaderBytes
	if have < length && HeaderBytes+length <= len(r.buffer) {
		return Frame{}, false, nil
	}
	frame := Frame{header[4], header[5], binary.BigEndian.Uint16(header[6:]), binary.BigEndian.Uint32(header[8:]), nil}
	r.from += HeaderBytes
	if length > 0 && have >= length {
		frame.Body = r.share(length)
		r.from += length
	} else if length > 0 {
		frame.Body = make([]byte, length)
		taken := copy(frame.Body, r.buffer[r.from:r.to])
		r.from += taken
		// What is larger than the buffer is read to where it belongs.
		for taken < length {
			count, err := r.read(frame.Body[taken:])
			if err != nil {
				return Frame{}, false, err
			}
			taken += count
		}
	}
	return frame, true, nil
}

// share is a part of memory that all small frames of one read have together.
func (r *Reader) share(length int) []byte {
	if r.block == nil {
		r.block, r.blockFrom = append([]byte(nil), r.buffer[r.from:r.to]...), r.from
	}
	at := r.from - r.blockFrom
	return r.block[at : at+length : at+length]
}

// Fill waits for more bytes.
func (r *Reader) Fill() error {
	r.block = nil
	if r.from > 0 {
		r.to = copy(r.buffer, r.buffer[r.from:r.to])
		r.from = 0
	}
	count, err := r.read(r.buffer[r.to:])
	if err != nil {
		return err
	}
	r.to += count
	return nil
}

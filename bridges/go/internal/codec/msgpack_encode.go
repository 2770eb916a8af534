package codec

import (
	"encoding/binary"
	"math"
	"time"
)

type msgpackCodec struct{ limits Limits }

func (c *msgpackCodec) Name() string { return "msgpack" }

func (c *msgpackCodec) Append(dst []byte, value any, root string, extraDepth int) ([]byte, bool, error) {
	to := msgpackSink{dst, c.limits.TypedArrays}
	err := appendAll(&to, value, root, c.limits.MaxDepth+extraDepth)
	return to.out, false, err
}

const (
	typedExtension     = 2
	timestampExtension = 0xff
)

type msgpackSink struct {
	out         []byte
	typedArrays bool
}

func (s *msgpackSink) null() { s.out = append(s.out, 0xc0) }

func (s *msgpackSink) boolean(is bool) {
	if is {
		s.out = append(s.out, 0xc3)
	} else {
		s.out = append(s.out, 0xc2)
	}
}

func (s *msgpackSink) integer(number int64) {
	switch {
	case number >= 0:
		s.unsigned(uint64(number))
	case number >= -32:
		s.out = append(s.out, byte(number))
	case number >= math.MinInt8:
		s.out = append(s.out, 0xd0, byte(number))
	case number >= math.MinInt16:
		s.out = binary.BigEndian.AppendUint16(append(s.out, 0xd1), uint16(number))
	case number >= math.MinInt32:
		s.out = binary.BigEndian.AppendUint32(append(s.out, 0xd2), uint32(number))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0xd3), uint64(number))
	}
}

func (s *msgpackSink) unsigned(number uint64) {
	switch {
	case number < 128:
		s.out = append(s.out, byte(number))
	case number <= math.MaxUint8:
		s.out = append(s.out, 0xcc, byte(number))
	case number <= math.MaxUint16:
		s.out = binary.BigEndian.AppendUint16(append(s.out, 0xcd), uint16(number))
	case number <= math.MaxUint32:
		s.out = binary.BigEndian.AppendUint32(append(s.out, 0xce), uint32(number))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0xcf), number)
	}
}

func (s *msgpackSink) float(number float64) {
	bits := math.Float64bits(number)
	if number != number {
		bits = 0x7ff8000000000000
	}
	s.out = binary.BigEndian.AppendUint64(append(s.out, 0xcb), bits)
}

func (s *msgpackSink) text(text string) {
	if len(text) < 32 {
		s.out = append(s.out, 0xa0|byte(len(text)))
	} else {
		s.sized(len(text), 0xd9)
	}
	s.out = append(s.out, text...)
}

func (s *msgpackSink) binary(data []byte) {
	s.sized(len(data), 0xc4)
	s.out = append(s.out, data...)
}

// sized writes a length behind the byte that says that it takes 8 bits; the two after it stand for 16 and 32.
func (s *msgpackSink) sized(count int, first byte) {
	switch {
	case count <= math.MaxUint8:
		s.out = append(s.out, first, byte(count))
	case count <= math.MaxUint16:
		s.out = binary.BigEndian.AppendUint16(append(s.out, first+1), uint16(count))
	default:
		s.out = binary.BigEndian.AppendUint32(append(s.out, first+2), uint32(count))
	}
}

func (s *msgpackSink) time(at time.Time) *ValueError {
	seconds, nanoseconds := at.Unix(), uint64(at.Nanosecond()/1e6*1e6)
	switch {
	case seconds < 0 || seconds >= 1<<34:
		s.out = append(s.out, 0xc7, 12, timestampExtension)
		s.out = binary.BigEndian.AppendUint32(s.out, uint32(nanoseconds))
		s.out = binary.BigEndian.AppendUint64(s.out, uint64(seconds))
	case nanoseconds == 0 && seconds <= math.MaxUint32:
		s.out = binary.BigEndian.AppendUint32(append(s.out, 0xd6, timestampExtension), uint32(seconds))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0xd7, timestampExtension), nanoseconds<<34|uint64(seconds))
	}
	return nil
}

func (s *msgpackSink) typed(typed Typed) {
	if !s.typedArrays {
		s.binary(typed.Bytes)
		return
	}
	code, _ := codeOf(typed.Element)
	count := len(typed.Bytes) + 1
	switch count {
	case 1, 2, 4, 8, 16:
		first := map[int]byte{1: 0xd4, 2: 0xd5, 4: 0xd6, 8: 0xd7, 16: 0xd8}[count]
		s.out = append(s.out, first)
	default:
		s.sized(count, 0xc7)
	}
	s.out = append(s.out, typedExtension, byte(code))
	s.out = append(s.out, typed.Bytes...)
}

func (s *msgpackSink) beginList(count int) {
	if count < 16 {
		s.out = append(s.out, 0x90|byte(count))
		return
	}
	s.counted(count, 0xdc)
}

func (s *msgpackSink) beginMap(count int, _ string) {
	if count < 16 {
		s.out = append(s.out, 0x80|byte(count))
		return
	}
	s.counted(count, 0xde)
}

func (s *msgpackSink) counted(count int, first byte) {
	if count <= math.MaxUint16 {
		s.out = binary.BigEndian.AppendUint16(append(s.out, first), uint16(count))
	} else {
		s.out = binary.BigEndian.AppendUint32(append(s.out, first+1), uint32(count))
	}
}

func (s *msgpackSink) endList()       {}
func (s *msgpackSink) key(key string) { s.text(key) }
func (s *msgpackSink) endMap()        {}

package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

var errShort = errors.New("the body ends within a value")

// The dates that every side has: those of JavaScript.
const maxUnixSeconds = 8_640_000_000_000

func (c *msgpackCodec) Decode(body []byte, _ bool, extraDepth int) (any, error) {
	if len(body) == 0 {
		return nil, nil
	}
	from := msgpackSource{body, 0, c.limits.MaxDepth + extraDepth}
	value, err := from.value(0)
	if err == nil && from.at != len(body) {
		err = errors.New("bytes follow the value")
	}
	return value, err
}

type msgpackSource struct {
	body     []byte
	at       int
	maxDepth int
}

func (s *msgpackSource) take(count int) ([]byte, error) {
	if count > len(s.body)-s.at {
		return nil, errShort
	}
	taken := s.body[s.at : s.at+count : s.at+count]
	s.at += count
	return taken, nil
}

// number reads an unsigned number of so many bytes.
func (s *msgpackSource) number(bytes int) (uint64, error) {
	data, err := s.take(bytes)
	if err != nil {
		return 0, err
	}
	switch bytes {
	case 1:
		return uint64(data[0]), nil
	case 2:
		return uint64(binary.BigEndian.Uint16(data)), nil
	case 4:
		return uint64(binary.BigEndian.Uint32(data)), nil
	default:
		return binary.BigEndian.Uint64(data), nil
	}
}

func (s *msgpackSource) value(depth int) (any, error) {
	if s.at >= len(s.body) {
		return nil, errShort
	}
	first := s.body[s.at]
	s.at++
	switch {
	case first < 0x80:
		return int64(first), nil
	case first < 0x90:
		return s.entries(uint64(first&0x0f), depth)
	case first < 0xa0:
		return s.list(uint64(first&0x0f), depth)
	case first < 0xc0:
		return s.text(uint64(first & 0x1f))
	case first >= 0xe0:
		return int64(int8(first)), nil
	}
	switch first {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return first == 0xc3, nil
	case 0xc4, 0xc5, 0xc6:
		count, err := s.number(1 << (first - 0xc4))
		if err != nil {
			return nil, err
		}
		data, err := s.taken(count)
		return own(data), err
	case 0xc7, 0xc8, 0xc9:
		count, err := s.number(1 << (first - 0xc7))
		if err != nil {
			return nil, err
		}
		return s.extension(count)
	case 0xca:
		bits, err := s.number(4)
		return float64(math.Float32frombits(uint32(bits))), err
	case 0xcb:
		bits, err := s.number(8)
		return math.Float64frombits(bits), err
	case 0xcc, 0xcd, 0xce, 0xcf:
		number, err := s.number(1 << (first - 0xcc))
		if number > math.MaxInt64 {
			return number, err
		}
		return int64(number), err
	case 0xd0:
		number, err := s.number(1)
		return int64(int8(number)), err
	case 0xd1:
		number, err := s.number(2)
		return int64(int16(number)), err
	case 0xd2:
		number, err := s.number(4)
		return int64(int32(number)), err
	case 0xd3:
		number, err := s.number(8)
		return int64(number), err
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return s.extension(1 << (first - 0xd4))
	case 0xd9, 0xda, 0xdb:
		count, err := s.number(1 << (first - 0xd9))
		if err != nil {
			return nil, err
		}
		return s.text(count)
	case 0xdc, 0xdd:
		count, err := s.number(2 << (first - 0xdc))
		if err != nil {
			return nil, err
		}
		return s.list(count, depth)
	case 0xde, 0xdf:
		count, err := s.number(2 << (first - 0xde))
		if err != nil {
			return nil, err
		}
		return s.entries(count, depth)
	default:
		return nil, fmt.Errorf("no value begins with the byte 0x%02x", first)
	}
}

func (s *msgpackSource) taken(count uint64) ([]byte, error) {
	if count > uint64(len(s.body)-s.at) {
		return nil, errShort
	}
	return s.take(int(count))
}

func (s *msgpackSource) text(count uint64) (string, error) {
	data, err := s.taken(count)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", errors.New("a string that is not UTF-8")
	}
	return string(data), nil
}

func (s *msgpackSource) list(count uint64, depth int) (any, error) {
	if depth >= s.maxDepth {
		return nil, ErrTooDeep
	}
	// Each item takes a byte at least: nothing is reserved for items that cannot be there.
	if count > uint64(len(s.body)-s.at) {
		return nil, errShort
	}
	items := make([]any, count)
	for i := range items {
		item, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items[i] = item
	}
	return items, nil
}

func (s *msgpackSource) entries(count uint64, depth int) (any, error) {
	if depth >= s.maxDepth {
		return nil, ErrTooDeep
	}
	if count > uint64(len(s.body)-s.at)/2 {
		return nil, errShort
	}
	entries := make(map[string]any, count)
	for ; count > 0; count-- {
		key, err := s.key()
		if err != nil {
			return nil, err
		}
		value, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		entries[key] = value
	}
	return entries, nil
}

func (s *msgpackSource) key() (string, error) {
	if s.at >= len(s.body) {
		return "", errShort
	}
	first := s.body[s.at]
	s.at++
	switch {
	case first >= 0xa0 && first < 0xc0:
		return s.text(uint64(first & 0x1f))
	case first >= 0xd9 && first <= 0xdb:
		count, err := s.number(1 << (first - 0xd9))
		if err != nil {
			return "", err
		}
		return s.text(count)
	default:
		return "", errors.New("a key of a map that is no string")
	}
}

func (s *msgpackSource) extension(count uint64) (any, error) {
	kind, err := s.number(1)
	if err != nil {
		return nil, err
	}
	data, err := s.taken(count)
	if err != nil {
		return nil, err
	}
	switch kind {
	case timestampExtension:
		return timestamp(data)
	case typedExtension:
		if len(data) == 0 {
			return nil, errors.New("a typed array without its type")
		}
		if data[0] == 0 {
			return own(data[1:]), nil
		}
		return typedOf(int(data[0]), own(data[1:]))
	case 1:
		return nil, errors.New("a reference to shared memory, which this worker has not got")
	default:
		return nil, fmt.Errorf("an extension of the unknown type %d", kind)
	}
}

func timestamp(data []byte) (any, error) {
	var seconds, nanoseconds int64
	switch len(data) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(data))
	case 8:
		bits := binary.BigEndian.Uint64(data)
		seconds, nanoseconds = int64(bits&(1<<34-1)), int64(bits>>34)
	case 12:
		nanoseconds = int64(binary.BigEndian.Uint32(data))
		seconds = int64(binary.BigEndian.Uint64(data[4:]))
	default:
		return nil, fmt.Errorf("a timestamp of %d bytes", len(data))
	}
	if nanoseconds > 999_999_999 || seconds > maxUnixSeconds || seconds < -maxUnixSeconds {
		return nil, errors.New("a timestamp out of range")
	}
	return time.Unix(seconds, nanoseconds).UTC(), nil
}

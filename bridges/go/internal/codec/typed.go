package codec

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Typed is a typed array: elements in a row, little-endian.
type Typed struct {
	// Name of the element type, such as "f8"; the table in proto/PROTOCOL.md has them all.
	Element string
	Bytes   []byte
}

type element struct {
	name string
	size int
}

// By code; 0 is plain binary.
var elements = []element{
	{"", 1}, {"i1", 1}, {"u1c", 1}, {"i2", 2}, {"u2", 2}, {"i4", 4}, {"u4", 4}, {"i8", 8}, {"u8", 8}, {"f4", 4}, {"f8", 8}, {"raw", 1},
}

func codeOf(name string) (int, bool) {
	for code, each := range elements {
		if each.name == name && code > 0 {
			return code, true
		}
	}
	return 0, false
}

func typedOf(code int, data []byte) (Typed, error) {
	if code < 1 || code >= len(elements) {
		return Typed{}, fmt.Errorf("a typed array of the unknown type %d", code)
	}
	if len(data)%elements[code].size != 0 {
		return Typed{}, fmt.Errorf("a typed array of %d bytes whose elements take %d", len(data), elements[code].size)
	}
	return Typed{elements[code].name, data}, nil
}

// Number is what elements of typed arrays can be.
type Number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// TypedOf copies numbers into a typed array.
func TypedOf[T Number](numbers []T) Typed {
	var zero T
	switch any(zero).(type) {
	case int8:
		return Typed{"i1", pack(numbers, 1, func(to []byte, n T) { to[0] = byte(n) })}
	case uint8:
		return Typed{"u1c", pack(numbers, 1, func(to []byte, n T) { to[0] = byte(n) })}
	case int16:
		return Typed{"i2", pack(numbers, 2, func(to []byte, n T) { binary.LittleEndian.PutUint16(to, uint16(n)) })}
	case uint16:
		return Typed{"u2", pack(numbers, 2, func(to []byte, n T) { binary.LittleEndian.PutUint16(to, uint16(n)) })}
	case int32:
		return Typed{"i4", pack(numbers, 4, func(to []byte, n T) { binary.LittleEndian.PutUint32(to, uint32(n)) })}
	case uint32:
		return Typed{"u4", pack(numbers, 4, func(to []byte, n T) { binary.LittleEndian.PutUint32(to, uint32(n)) })}
	case int64:
		return Typed{"i8", pack(numbers, 8, func(to []byte, n T) { binary.LittleEndian.PutUint64(to, uint64(n)) })}
	case uint64:
		return Typed{"u8", pack(numbers, 8, func(to []byte, n T) { binary.LittleEndian.PutUint64(to, uint64(n)) })}
	case float32:
		return Typed{"f4", pack(numbers, 4, func(to []byte, n T) { binary.LittleEndian.PutUint32(to, math.Float32bits(float32(n))) })}
	default:
		return Typed{"f8", pack(numbers, 8, func(to []byte, n T) { binary.LittleEndian.PutUint64(to, math.Float64bits(float64(n))) })}
	}
}

func pack[T Number](numbers []T, size int, put func([]byte, T)) []byte {
	data := make([]byte, len(numbers)*size)
	for i, number := range numbers {
		put(data[i*size:], number)
	}
	return data
}

// Len is how many elements there are.
func (t Typed) Len() int {
	if code, known := codeOf(t.Element); known {
		return len(t.Bytes) / elements[code].size
	}
	return len(t.Bytes)
}

// At is element i as int64, uint64 (for "u8") or float64.
func (t Typed) At(i int) any {
	switch t.Element {
	case "i1":
		return int64(int8(t.Bytes[i]))
	case "i2":
		return int64(int16(binary.LittleEndian.Uint16(t.Bytes[2*i:])))
	case "u2":
		return int64(binary.LittleEndian.Uint16(t.Bytes[2*i:]))
	case "i4":
		return int64(int32(binary.LittleEndian.Uint32(t.Bytes[4*i:])))
	case "u4":
		return int64(binary.LittleEndian.Uint32(t.Bytes[4*i:]))
	case "i8":
		return int64(binary.LittleEndian.Uint64(t.Bytes[8*i:]))
	case "u8":
		return binary.LittleEndian.Uint64(t.Bytes[8*i:])
	case "f4":
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(t.Bytes[4*i:])))
	case "f8":
		return math.Float64frombits(binary.LittleEndian.Uint64(t.Bytes[8*i:]))
	default:
		return int64(t.Bytes[i])
	}
}

package codec

import (
	"encoding/binary"
	"math"
	"reflect"
	"unicode/utf8"
)

// Direct reads the commonest arguments, a map of scalars in MessagePack, straight into a struct, without the values between that Decode and
// BindArguments need. What it does not know, it leaves to those, and with it every message about what does not fit.
type Direct struct {
	fields []directField
}

type directField struct {
	name       string
	kind       reflect.Kind
	at         int
	isRequired bool
}

// As many as there are bits to remember which of them have come.
const maxDirectFields = 64

// DirectOf is the reader for a type, or nil where not all of its fields are scalars.
func DirectOf(kind reflect.Type) *Direct {
	if !takesFields(kind) {
		return nil
	}
	fields := FieldsOf(kind)
	if len(fields) > maxDirectFields {
		return nil
	}
	d := &Direct{fields: make([]directField, len(fields))}
	for i, field := range fields {
		if len(field.index) > 1 || len(field.Enum) > 0 || unmarshals(field.Type) || !isScalar(field.Type.Kind()) {
			return nil
		}
		d.fields[i] = directField{field.Name, field.Type.Kind(), field.index[0], !field.IsOptional}
	}
	return d
}

func isScalar(kind reflect.Kind) bool {
	return kind >= reflect.Bool && kind <= reflect.Float64 || kind == reflect.String
}

// Read fills the struct that target points to; false where there is more to it, and target is then not to be used.
func (d *Direct) Read(body []byte, target any) bool {
	if len(body) == 0 || body[0] < 0x80 || body[0] >= 0x90 {
		return false
	}
	from := msgpackSource{body: body, at: 1}
	to := reflect.ValueOf(target).Elem()
	seen := uint64(0)
	for i := 0; i < int(body[0]&0x0f); i++ {
		at := d.find(&from, i)
		if at < 0 || seen&(1<<at) != 0 || !from.scalarInto(to.Field(d.fields[at].at), d.fields[at].kind) {
			return false
		}
		seen |= 1 << at
	}
	for i := range d.fields {
		if d.fields[i].isRequired && seen&(1<<i) == 0 {
			return false
		}
	}
	return from.at == len(body)
}

// find reads a key; -1 where it is none of the fields'. Callers mostly send them in order.
func (d *Direct) find(from *msgpackSource, expected int) int {
	if from.at >= len(from.body) {
		return -1
	}
	first := from.body[from.at]
	if first < 0xa0 || first >= 0xc0 {
		return -1
	}
	from.at++
	key, err := from.take(int(first & 0x1f))
	if err != nil {
		return -1
	}
	if expected < len(d.fields) && d.fields[expected].name == string(key) {
		return expected
	}
	for i := range d.fields {
		if d.fields[i].name == string(key) {
			return i
		}
	}
	return -1
}

// scalarInto reads a value that fits without being converted, other than integers to floats.
func (s *msgpackSource) scalarInto(to reflect.Value, kind reflect.Kind) bool {
	if s.at >= len(s.body) {
		return false
	}
	first := s.body[s.at]
	switch {
	case kind == reflect.Bool:
		s.at++
		to.SetBool(first == 0xc3)
		return first == 0xc2 || first == 0xc3
	case kind == reflect.String:
		return s.textInto(to, first)
	case kind >= reflect.Float32 && first == 0xcb && len(s.body)-s.at > 8:
		to.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(s.body[s.at+1:])))
		s.at += 9
		return true
	}
	number, isInteger := s.integer(first)
	switch {
	case !isInteger:
		return false
	case kind >= reflect.Float32:
		to.SetFloat(float64(number))
	case kind >= reflect.Uint:
		if number < 0 || to.OverflowUint(uint64(number)) {
			return false
		}
		to.SetUint(uint64(number))
	default:
		if to.OverflowInt(number) {
			return false
		}
		to.SetInt(number)
	}
	return true
}

func (s *msgpackSource) textInto(to reflect.Value, first byte) bool {
	count := uint64(first & 0x1f)
	s.at++
	switch {
	case first >= 0xa0 && first < 0xc0:
	case first >= 0xd9 && first <= 0xdb:
		var err error
		if count, err = s.number(1 << (first - 0xd9)); err != nil {
			return false
		}
	default:
		return false
	}
	data, err := s.taken(count)
	if err != nil || !utf8.Valid(data) {
		return false
	}
	to.SetString(string(data))
	return true
}

// integer reads one that int64 holds.
func (s *msgpackSource) integer(first byte) (int64, bool) {
	if first < 0x80 || first >= 0xe0 {
		s.at++
		return int64(int8(first)), true
	}
	if first < 0xcc || first > 0xd3 {
		return 0, false
	}
	s.at++
	bits, err := s.number(1 << (first & 3))
	if err != nil {
		return 0, false
	}
	switch first {
	case 0xd0:
		return int64(int8(bits)), true
	case 0xd1:
		return int64(int16(bits)), true
	case 0xd2:
		return int64(int32(bits)), true
	default:
		return int64(bits), first != 0xcf || bits <= math.MaxInt64
	}
}

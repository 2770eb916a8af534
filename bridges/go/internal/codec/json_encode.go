package codec

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

type jsonCodec struct{ limits Limits }

func (c *jsonCodec) Name() string { return "json" }

func (c *jsonCodec) Append(dst []byte, value any, root string, extraDepth int) (out []byte, isTagged bool, err error) {
	maxDepth := c.limits.MaxDepth + extraDepth
	to := jsonSink{out: dst, typedArrays: c.limits.TypedArrays}
	if needsNone(&to, value, root, maxDepth, &err) {
		return to.out, false, err
	}
	begin := len(dst)
	to = jsonSink{out: append(dst, 0, 0, 0, 0), typedArrays: c.limits.TypedArrays, isTagged: true}
	err = appendAll(&to, value, root, maxDepth)
	binary.BigEndian.PutUint32(to.out[begin:], uint32(len(to.out)-begin-4))
	for _, attachment := range to.attachments {
		to.out = append(to.out, attachment...)
	}
	return to.out, true, err
}

// needsNone writes plain JSON; false where that is impossible.
func needsNone(to *jsonSink, value any, root string, maxDepth int, err *error) (isDone bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			if _, isOurs := panicked.(needsTags); !isOurs {
				panic(panicked)
			}
			isDone = false
		}
	}()
	*err = appendAll(to, value, root, maxDepth)
	return true
}

type jsonSink struct {
	out         []byte
	typedArrays bool
	isTagged    bool
	needsComma  bool
	// For each map that is open: whether a tag is around it.
	escapes         []bool
	attachments     [][]byte
	attachmentBytes int
}

func (s *jsonSink) begin() {
	if s.needsComma {
		s.out = append(s.out, ',')
	}
	s.needsComma = true
}

func (s *jsonSink) raw(text string) {
	s.begin()
	s.out = append(s.out, text...)
}

func (s *jsonSink) null() { s.raw("null") }

func (s *jsonSink) boolean(is bool) { s.raw(strconv.FormatBool(is)) }

func (s *jsonSink) integer(number int64) {
	if number > maxSafeInteger || number < -maxSafeInteger {
		s.tag("$int", `"`+strconv.FormatInt(number, 10)+`"`)
		return
	}
	s.begin()
	s.out = strconv.AppendInt(s.out, number, 10)
}

func (s *jsonSink) unsigned(number uint64) {
	if number > maxSafeInteger {
		s.tag("$int", `"`+strconv.FormatUint(number, 10)+`"`)
		return
	}
	s.integer(int64(number))
}

func (s *jsonSink) float(number float64) {
	switch {
	case number != number:
		s.tag("$float", `"NaN"`)
	case math.IsInf(number, 1):
		s.tag("$float", `"Infinity"`)
	case math.IsInf(number, -1):
		s.tag("$float", `"-Infinity"`)
	case isMinusZero(number):
		s.tag("$float", `"-0"`)
	default:
		s.begin()
		s.out = appendFloat(s.out, number)
	}
}

// appendFloat writes a number as JavaScript does.
func appendFloat(out []byte, number float64) []byte {
	magnitude := math.Abs(number)
	if magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		begin := len(out)
		out = strconv.AppendFloat(out, number, 'e', -1, 64)
		// e-07 is e-7 there.
		if end := len(out); end-begin >= 4 && out[end-4] == 'e' && out[end-2] == '0' {
			out[end-2] = out[end-1]
			out = out[:end-1]
		}
		return out
	}
	return strconv.AppendFloat(out, number, 'f', -1, 64)
}

func (s *jsonSink) text(text string) {
	s.begin()
	s.out = appendText(s.out, text)
}

const hexDigits = "0123456789abcdef"

func appendText(out []byte, text string) []byte {
	out = append(out, '"')
	from := 0
	for i := 0; i < len(text); i++ {
		letter := text[i]
		if letter >= 0x20 && letter != '"' && letter != '\\' {
			continue
		}
		out = append(out, text[from:i]...)
		from = i + 1
		switch letter {
		case '"', '\\':
			out = append(out, '\\', letter)
		case '\b':
			out = append(out, '\\', 'b')
		case '\f':
			out = append(out, '\\', 'f')
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[letter>>4], hexDigits[letter&0xf])
		}
	}
	return append(append(out, text[from:]...), '"')
}

// tag writes a tag whose content is JSON text.
func (s *jsonSink) tag(name, content string) {
	if !s.isTagged {
		panic(needsTags{})
	}
	s.raw(`{"` + name + `":` + content + `}`)
}

func (s *jsonSink) binary(data []byte) { s.tag("$bin", s.attach(data)) }

// attach keeps bytes for the end of the body; returns where they will stand.
func (s *jsonSink) attach(data []byte) string {
	place := "[" + strconv.Itoa(s.attachmentBytes) + "," + strconv.Itoa(len(data)) + "]"
	if s.isTagged {
		s.attachments = append(s.attachments, data)
		s.attachmentBytes += len(data)
	}
	return place
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func (s *jsonSink) time(at time.Time) *ValueError {
	at = at.UTC()
	if year := at.Year(); year < 0 || year > 9999 {
		return refuse("the year %d has no form in JSON", year)
	}
	s.tag("$time", `"`+at.Format(timeLayout)+`"`)
	return nil
}

func (s *jsonSink) typed(typed Typed) {
	if !s.typedArrays {
		s.binary(typed.Bytes)
		return
	}
	s.tag("$typed", `["`+typed.Element+`",{"$bin":`+s.attach(typed.Bytes)+`}]`)
}

func (s *jsonSink) beginList(int) {
	s.begin()
	s.out = append(s.out, '[')
	s.needsComma = false
}

func (s *jsonSink) endList() {
	s.out = append(s.out, ']')
	s.needsComma = true
}

func (s *jsonSink) beginMap(count int, firstKey string) {
	s.begin()
	isEscaped := s.isTagged && count == 1 && len(firstKey) > 0 && firstKey[0] == '$'
	s.escapes = append(s.escapes, isEscaped)
	if isEscaped {
		s.out = append(s.out, `{"$esc":`...)
	}
	s.out = append(s.out, '{')
	s.needsComma = false
}

func (s *jsonSink) key(key string) {
	s.begin()
	s.out = append(appendText(s.out, key), ':')
	s.needsComma = false
}

func (s *jsonSink) endMap() {
	s.out = append(s.out, '}')
	last := len(s.escapes) - 1
	if s.escapes[last] {
		s.out = append(s.out, '}')
	}
	s.escapes = s.escapes[:last]
	s.needsComma = true
}

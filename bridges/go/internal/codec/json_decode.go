package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"sort"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

func (c *jsonCodec) Decode(body []byte, isTagged bool, extraDepth int) (any, error) {
	if len(body) == 0 && !isTagged {
		return nil, nil
	}
	from := jsonSource{text: body, maxDepth: c.limits.MaxDepth + extraDepth}
	if isTagged {
		if len(body) < 4 {
			return nil, errors.New("a tagged body without the length of its text")
		}
		length := uint64(binary.BigEndian.Uint32(body))
		if length > uint64(len(body)-4) {
			return nil, errors.New("a tagged body shorter than its text")
		}
		from.text, from.attachments = body[4:4+length], body[4+length:]
		from.isTagged = true
	}
	value, err := from.whole()
	if err == nil {
		err = checkDisjoint(from.used)
	}
	return value, err
}

type span struct{ from, to int }

// checkDisjoint refuses attachments that share bytes.
func checkDisjoint(used []span) error {
	sort.Slice(used, func(i, j int) bool { return used[i].from < used[j].from })
	for i := 1; i < len(used); i++ {
		if used[i].from < used[i-1].to {
			return errors.New("two tags refer to the same bytes")
		}
	}
	return nil
}

type jsonSource struct {
	text        []byte
	at          int
	maxDepth    int
	isTagged    bool
	attachments []byte
	used        []span
}

func (s *jsonSource) fail(what string) error {
	return fmt.Errorf("%s at byte %d of JSON text", what, s.at)
}

func (s *jsonSource) whole() (any, error) {
	value, err := s.value(0)
	if err != nil {
		return nil, err
	}
	s.space()
	if s.at != len(s.text) {
		return nil, s.fail("something follows the value")
	}
	return value, nil
}

func (s *jsonSource) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next skips white space and shows the byte behind it; 0 at the end.
func (s *jsonSource) next() byte {
	s.space()
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *jsonSource) value(depth int) (any, error) {
	switch first := s.next(); first {
	case '{':
		return s.object(depth)
	case '[':
		return s.list(depth)
	case '"':
		return s.string()
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	default:
		if first == '-' || (first >= '0' && first <= '9') {
			return s.number()
		}
		return nil, s.fail("no value")
	}
}

func (s *jsonSource) word(word string) error {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return s.fail("no value")
	}
	s.at += len(word)
	return nil
}

func (s *jsonSource) digits() int {
	from := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at - from
}

func (s *jsonSource) peek(letter byte) bool { return s.at < len(s.text) && s.text[s.at] == letter }

func (s *jsonSource) number() (any, error) {
	from := s.at
	if s.peek('-') {
		s.at++
	}
	leading := s.at
	count := s.digits()
	if count == 0 || (count > 1 && s.text[leading] == '0') {
		return nil, s.fail("a malformed number")
	}
	isInteger := true
	if s.peek('.') {
		s.at++
		isInteger = false
		if s.digits() == 0 {
			return nil, s.fail("a malformed number")
		}
	}
	if s.peek('e') || s.peek('E') {
		s.at++
		isInteger = false
		if s.peek('+') || s.peek('-') {
			s.at++
		}
		if s.digits() == 0 {
			return nil, s.fail("a malformed number")
		}
	}
	text := string(s.text[from:s.at])
	if isInteger && text != "-0" {
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return number, nil
		}
		if number, err := strconv.ParseUint(text, 10, 64); err == nil {
			return number, nil
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, s.fail("a number out of range")
	}
	return number, nil
}

func (s *jsonSource) string() (string, error) {
	s.at++
	from := s.at
	for s.at < len(s.text) {
		switch letter := s.text[s.at]; {
		case letter == '"':
			text := s.text[from:s.at]
			s.at++
			if !utf8.Valid(text) {
				return "", s.fail("a string that is not UTF-8")
			}
			return string(text), nil
		case letter == '\\':
			return s.escapedString(from)
		case letter < 0x20:
			return "", s.fail("a control character in a string")
		default:
			s.at++
		}
	}
	return "", s.fail("a string without end")
}

func (s *jsonSource) escapedString(from int) (string, error) {
	text := append([]byte{}, s.text[from:s.at]...)
	for s.at < len(s.text) {
		letter := s.text[s.at]
		switch {
		case letter == '"':
			s.at++
			if !utf8.Valid(text) {
				return "", s.fail("a string that is not UTF-8")
			}
			return string(text), nil
		case letter < 0x20:
			return "", s.fail("a control character in a string")
		case letter != '\\':
			text = append(text, letter)
			s.at++
			continue
		}
		s.at++
		if s.at >= len(s.text) {
			break
		}
		escape := s.text[s.at]
		s.at++
		switch escape {
		case '"', '\\', '/':
			text = append(text, escape)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			character, err := s.unicode()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, character)
		default:
			return "", s.fail("an unknown escape")
		}
	}
	return "", s.fail("a string without end")
}

func (s *jsonSource) unicode() (rune, error) {
	first, err := s.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if len(s.text)-s.at < 2 || s.text[s.at] != '\\' || s.text[s.at+1] != 'u' {
		return 0, s.fail("a lone surrogate")
	}
	s.at += 2
	second, err := s.hex()
	if err != nil {
		return 0, err
	}
	character := utf16.DecodeRune(first, second)
	if character == utf8.RuneError {
		return 0, s.fail("a lone surrogate")
	}
	return character, nil
}

func (s *jsonSource) hex() (rune, error) {
	if len(s.text)-s.at < 4 {
		return 0, s.fail("an escape that ends early")
	}
	number, err := strconv.ParseUint(string(s.text[s.at:s.at+4]), 16, 16)
	if err != nil {
		return 0, s.fail("a malformed escape")
	}
	s.at += 4
	return rune(number), nil
}

func (s *jsonSource) list(depth int) (any, error) {
	if depth >= s.maxDepth {
		return nil, ErrTooDeep
	}
	s.at++
	items := []any{}
	if s.next() == ']' {
		s.at++
		return items, nil
	}
	for {
		item, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.at++
			return items, nil
		default:
			return nil, s.fail("a list without end")
		}
	}
}

func (s *jsonSource) object(depth int) (any, error) {
	if s.isTagged {
		if name, isTag := s.tagName(); isTag {
			return s.tag(name, depth)
		}
	}
	return s.plainObject(depth)
}

func (s *jsonSource) plainObject(depth int) (any, error) {
	if depth >= s.maxDepth {
		return nil, ErrTooDeep
	}
	s.at++
	entries := map[string]any{}
	if s.next() == '}' {
		s.at++
		return entries, nil
	}
	for {
		key, err := s.keyAndColon()
		if err != nil {
			return nil, err
		}
		value, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		entries[key] = value
		switch s.next() {
		case ',':
			s.at++
		case '}':
			s.at++
			return entries, nil
		default:
			return nil, s.fail("a map without end")
		}
	}
}

func (s *jsonSource) keyAndColon() (string, error) {
	if s.next() != '"' {
		return "", s.fail("a key that is no string")
	}
	key, err := s.string()
	if err != nil {
		return "", err
	}
	if s.next() != ':' {
		return "", s.fail("a key without a value")
	}
	s.at++
	return key, nil
}

// tagName tells whether the object here has exactly one key, which begins with "$". It reads ahead and returns.
func (s *jsonSource) tagName() (string, bool) {
	ahead := jsonSource{text: s.text, at: s.at + 1, maxDepth: math.MaxInt32}
	if ahead.next() != '"' || ahead.at+1 >= len(s.text) || (s.text[ahead.at+1] != '$' && s.text[ahead.at+1] != '\\') {
		return "", false
	}
	name, err := ahead.keyAndColon()
	if err != nil || name == "" || name[0] != '$' || !ahead.skip() {
		return "", false
	}
	return name, ahead.next() == '}'
}

// skip passes over one value by its brackets alone; what is malformed is found when it is read.
func (s *jsonSource) skip() bool {
	level := 0
	for {
		switch s.next() {
		case 0:
			return false
		case '"':
			if _, err := s.string(); err != nil {
				return false
			}
		case '{', '[':
			level++
			s.at++
			continue
		case '}', ']':
			if level == 0 {
				return false
			}
			level--
			s.at++
		case ',', ':':
			if level == 0 {
				return false
			}
			s.at++
			continue
		default:
			for s.at < len(s.text) && !isDelimiter(s.text[s.at]) {
				s.at++
			}
		}
		if level == 0 {
			return true
		}
	}
}

func isDelimiter(letter byte) bool {
	switch letter {
	case ',', ':', '{', '}', '[', ']', '"', ' ', '\t', '\n', '\r':
		return true
	default:
		return false
	}
}

func (s *jsonSource) tag(name string, depth int) (any, error) {
	s.at++
	if _, err := s.keyAndColon(); err != nil {
		return nil, err
	}
	value, err := s.tagged(name, depth)
	if err != nil {
		return nil, err
	}
	if s.next() != '}' {
		return nil, s.fail("a tag without end")
	}
	s.at++
	return value, nil
}

var (
	integerText = regexp.MustCompile(`^-?[0-9]+$`)
	timeText    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`)
	floatWords  = map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "-0": math.Copysign(0, -1)}
)

func (s *jsonSource) tagged(name string, depth int) (any, error) {
	switch name {
	case "$esc":
		if s.next() != '{' {
			return nil, s.fail("$esc of what is no map")
		}
		return s.plainObject(depth)
	case "$bin":
		return s.attachment()
	case "$typed":
		return s.typedArray()
	case "$shm":
		return nil, errors.New("a reference to shared memory, which this worker has not got")
	case "$int", "$float", "$time":
		if s.next() != '"' {
			return nil, s.fail(name + " of what is no string")
		}
		text, err := s.string()
		if err != nil {
			return nil, err
		}
		return scalarOf(name, text)
	default:
		return nil, fmt.Errorf("the unknown tag %q", name)
	}
}

func scalarOf(name, text string) (any, error) {
	switch name {
	case "$int":
		if integerText.MatchString(text) {
			if number, err := strconv.ParseInt(text, 10, 64); err == nil {
				return number, nil
			}
			if number, err := strconv.ParseUint(text, 10, 64); err == nil {
				return number, nil
			}
		}
	case "$float":
		if number, isKnown := floatWords[text]; isKnown {
			return number, nil
		}
	case "$time":
		if timeText.MatchString(text) {
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return nil, fmt.Errorf("%s of %q", name, text)
}

func (s *jsonSource) attachment() ([]byte, error) {
	if s.next() != '[' {
		return nil, s.fail("$bin of what is no place")
	}
	place, err := s.list(0)
	if err != nil {
		return nil, err
	}
	items, _ := place.([]any)
	if len(items) != 2 {
		return nil, s.fail("$bin of what is no place")
	}
	offset, isOffset := items[0].(int64)
	length, isLength := items[1].(int64)
	whole := int64(len(s.attachments))
	if !isOffset || !isLength || offset < 0 || length < 0 || offset > whole || length > whole-offset {
		return nil, s.fail("$bin out of bounds")
	}
	if length > 0 {
		s.used = append(s.used, span{int(offset), int(offset + length)})
	}
	return own(s.attachments[offset : offset+length : offset+length]), nil
}

// typedArray reads `["f8",{"$bin":[0,8]}]`.
func (s *jsonSource) typedArray() (any, error) {
	if s.next() != '[' {
		return nil, s.fail("$typed of what is no list")
	}
	s.at++
	if s.next() != '"' {
		return nil, s.fail("$typed without an element type")
	}
	name, err := s.string()
	if err != nil {
		return nil, err
	}
	if s.next() != ',' {
		return nil, s.fail("$typed without bytes")
	}
	s.at++
	if s.next() != '{' {
		return nil, s.fail("$typed of what is not binary")
	}
	tag, isTag := s.tagName()
	if !isTag || tag != "$bin" {
		return nil, s.fail("$typed of what is not binary")
	}
	data, err := s.tag(tag, 0)
	if err != nil {
		return nil, err
	}
	if s.next() != ']' {
		return nil, s.fail("$typed without end")
	}
	s.at++
	code, isKnown := codeOf(name)
	if !isKnown {
		return nil, fmt.Errorf("a typed array of the unknown type %q", name)
	}
	return typedOf(code, data.([]byte))
}

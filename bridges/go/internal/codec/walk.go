package codec

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"time"
	"unicode/utf8"
)

var (
	timeType          = reflect.TypeOf(time.Time{})
	typedType         = reflect.TypeOf(Typed{})
	pairsType         = reflect.TypeOf(Pairs{})
	textMarshalerType = reflect.TypeOf((*encoding.TextMarshaler)(nil)).Elem()
	jsonMarshalerType = reflect.TypeOf((*json.Marshaler)(nil)).Elem()
)

// sink takes the parts of a value one after the other. Its methods never see text that is not UTF-8.
type sink interface {
	null()
	boolean(bool)
	integer(int64)
	unsigned(uint64)
	float(float64)
	text(string)
	binary([]byte)
	time(time.Time) *ValueError
	typed(Typed)
	beginList(count int)
	endList()
	// firstKey is the only key of a map with one entry.
	beginMap(count int, firstKey string)
	key(string)
	endMap()
}

type walker struct {
	to       sink
	maxDepth int
}

func (w *walker) value(value any, depth int) *ValueError {
	switch v := value.(type) {
	case nil:
		w.to.null()
	case bool:
		w.to.boolean(v)
	case int:
		w.to.integer(int64(v))
	case int64:
		w.to.integer(v)
	case uint64:
		w.to.unsigned(v)
	case float64:
		w.to.float(v)
	case string:
		return w.text(v)
	case []byte:
		w.to.binary(v)
	case time.Time:
		return w.to.time(v)
	case Typed:
		return w.typed(v)
	case []any:
		return w.list(len(v), depth, func(i int) *ValueError { return w.value(v[i], depth+1) })
	case map[string]any:
		return w.plainMap(v, depth)
	case Pairs:
		return w.pairs(v, depth)
	default:
		return w.reflected(reflect.ValueOf(value), depth)
	}
	return nil
}

func (w *walker) text(text string) *ValueError {
	if !utf8.ValidString(text) {
		return refuse("the string is not UTF-8; send it as []byte")
	}
	w.to.text(text)
	return nil
}

func (w *walker) typed(typed Typed) *ValueError {
	code, isKnown := codeOf(typed.Element)
	if !isKnown {
		return refuse("a typed array of the unknown element type %q", typed.Element)
	}
	if len(typed.Bytes)%elements[code].size != 0 {
		return refuse("%d bytes are no whole number of elements %q", len(typed.Bytes), typed.Element)
	}
	w.to.typed(typed)
	return nil
}

func (w *walker) checkDepth(depth int) *ValueError {
	if depth >= w.maxDepth {
		return refuse("nested deeper than %d; send it in parts, or as text", w.maxDepth)
	}
	return nil
}

func (w *walker) list(count, depth int, item func(int) *ValueError) *ValueError {
	if err := w.checkDepth(depth); err != nil {
		return err
	}
	w.to.beginList(count)
	for i := 0; i < count; i++ {
		if err := item(i); err != nil {
			return err.within("[" + strconv.Itoa(i) + "]")
		}
	}
	w.to.endList()
	return nil
}

func (w *walker) plainMap(entries map[string]any, depth int) *ValueError {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return w.entries(keys, depth, func(i int) *ValueError { return w.value(entries[keys[i]], depth+1) })
}

func (w *walker) pairs(pairs Pairs, depth int) *ValueError {
	keys := make([]string, len(pairs))
	for i, pair := range pairs {
		keys[i] = pair.Key
	}
	return w.entries(keys, depth, func(i int) *ValueError { return w.value(pairs[i].Value, depth+1) })
}

func (w *walker) entries(keys []string, depth int, entry func(int) *ValueError) *ValueError {
	if err := w.checkDepth(depth); err != nil {
		return err
	}
	first := ""
	if len(keys) == 1 {
		first = keys[0]
	}
	w.to.beginMap(len(keys), first)
	for i, key := range keys {
		if !utf8.ValidString(key) {
			return refuse("the key %q is not UTF-8", key)
		}
		w.to.key(key)
		if err := entry(i); err != nil {
			return err.within("." + key)
		}
	}
	w.to.endMap()
	return nil
}

func (w *walker) reflected(value reflect.Value, depth int) *ValueError {
	kind := value.Type()
	switch kind {
	case timeType:
		return w.to.time(value.Interface().(time.Time))
	case typedType:
		return w.typed(value.Interface().(Typed))
	case pairsType:
		return w.pairs(value.Interface().(Pairs), depth)
	}
	if isNil(value) && kind.Kind() != reflect.Slice && kind.Kind() != reflect.Map {
		w.to.null()
		return nil
	}
	if handled, err := w.marshaled(value, kind, depth); handled {
		return err
	}
	switch kind.Kind() {
	case reflect.Bool:
		w.to.boolean(value.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.to.integer(value.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.to.unsigned(value.Uint())
	case reflect.Float32, reflect.Float64:
		w.to.float(value.Float())
	case reflect.String:
		return w.text(value.String())
	case reflect.Pointer:
		return w.reflected(value.Elem(), depth)
	case reflect.Interface:
		return w.value(value.Elem().Interface(), depth)
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			w.to.binary(value.Bytes())
			return nil
		}
		return w.list(value.Len(), depth, func(i int) *ValueError { return w.reflected(value.Index(i), depth+1) })
	case reflect.Array:
		return w.list(value.Len(), depth, func(i int) *ValueError { return w.reflected(value.Index(i), depth+1) })
	case reflect.Map:
		return w.reflectedMap(value, depth)
	case reflect.Struct:
		return w.structure(value, depth)
	default:
		return refuse("a %s cannot be sent; send numbers, text, []byte, time.Time, slices, maps or structs of these", kind)
	}
	return nil
}

func isNil(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		return value.IsNil()
	default:
		return false
	}
}

func (w *walker) marshaled(value reflect.Value, kind reflect.Type, depth int) (handled bool, err *ValueError) {
	if kind.NumMethod() == 0 && (!value.CanAddr() || reflect.PointerTo(kind).NumMethod() == 0) {
		return false, nil
	}
	if !kind.Implements(textMarshalerType) && !kind.Implements(jsonMarshalerType) && value.CanAddr() {
		if pointer := reflect.PointerTo(kind); pointer.Implements(textMarshalerType) || pointer.Implements(jsonMarshalerType) {
			value, kind = value.Addr(), pointer
		}
	}
	if !value.CanInterface() {
		return false, nil
	}
	if kind.Implements(textMarshalerType) {
		text, failure := value.Interface().(encoding.TextMarshaler).MarshalText()
		if failure != nil {
			return true, refuse("%s: %v", kind, failure)
		}
		return true, w.text(string(text))
	}
	if !kind.Implements(jsonMarshalerType) {
		return false, nil
	}
	text, failure := value.Interface().(json.Marshaler).MarshalJSON()
	if failure != nil {
		return true, refuse("%s: %v", kind, failure)
	}
	parsed, failure := (&jsonCodec{Limits{MaxDepth: w.maxDepth}}).Decode(text, false, 0)
	if failure != nil {
		return true, refuse("%s marshals itself as JSON that is none: %v", kind, failure)
	}
	return true, w.value(parsed, depth)
}

func (w *walker) reflectedMap(value reflect.Value, depth int) *ValueError {
	names := make([]string, 0, value.Len())
	byName := make(map[string]reflect.Value, value.Len())
	for _, key := range value.MapKeys() {
		name, err := keyText(key)
		if err != nil {
			return err
		}
		names = append(names, name)
		byName[name] = value.MapIndex(key)
	}
	sort.Strings(names)
	return w.entries(names, depth, func(i int) *ValueError { return w.reflected(byName[names[i]], depth+1) })
}

func keyText(key reflect.Value) (string, *ValueError) {
	switch key.Kind() {
	case reflect.String:
		return key.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(key.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(key.Uint(), 10), nil
	}
	if marshaler, ok := key.Interface().(encoding.TextMarshaler); ok {
		text, err := marshaler.MarshalText()
		if err != nil {
			return "", refuse("a key of type %s: %v", key.Type(), err)
		}
		return string(text), nil
	}
	return "", refuse("keys of maps are strings or integers, not %s", key.Type())
}

func (w *walker) structure(value reflect.Value, depth int) *ValueError {
	fields := FieldsOf(value.Type())
	names := make([]string, 0, len(fields))
	values := make([]reflect.Value, 0, len(fields))
	for i := range fields {
		content := value.FieldByIndex(fields[i].index)
		if fields[i].IsOmitted && isEmpty(content) {
			continue
		}
		names = append(names, fields[i].Name)
		values = append(values, content)
	}
	return w.entries(names, depth, func(i int) *ValueError { return w.reflected(values[i], depth+1) })
}

func isEmpty(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return value.Len() == 0
	default:
		return value.IsZero()
	}
}

// appendAll writes a value by a sink and says where it could not.
func appendAll(to sink, value any, root string, maxDepth int) (err error) {
	defer func() {
		// A Marshaler of the user's may panic.
		if panicked := recover(); panicked != nil {
			if _, isOurs := panicked.(needsTags); isOurs {
				panic(panicked)
			}
			err = &ValueError{Path: root, Reason: fmt.Sprintf("it cannot be encoded: %v", panicked)}
		}
	}()
	w := walker{to, maxDepth}
	if failure := w.value(value, 0); failure != nil {
		return failure.within(root)
	}
	return nil
}

type needsTags struct{}

const maxSafeInteger = 1<<53 - 1

func isMinusZero(number float64) bool { return number == 0 && math.Signbit(number) }

package codec

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

var (
	textUnmarshalerType = reflect.TypeOf((*encoding.TextUnmarshaler)(nil)).Elem()
	jsonUnmarshalerType = reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()
)

// Bind stores a decoded value in what target, a pointer, points to; root is what messages call the value. It returns a *ValueError where
// the value does not fit.
func Bind(value any, target any, root string) error {
	to := reflect.ValueOf(target)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return &ValueError{root, fmt.Sprintf("results are stored behind a pointer, not in %T", target)}
	}
	return bindAt(value, to.Elem(), root)
}

// BindArguments stores the arguments of a call in what target points to. A struct takes a map by the names of its fields, a list by
// their order, and anything else as the first of them; any other type takes the value itself, or the only item of a list.
func BindArguments(value any, target any) error {
	to := reflect.ValueOf(target).Elem()
	kind := to.Type()
	if takesFields(kind) {
		return bindFields(value, to)
	}
	switch {
	case value == nil && !takesNull(kind):
		return &ValueError{"args", "an argument is missing: " + Describe(kind)}
	case !takesList(kind):
		if items, isList := value.([]any); isList && len(items) == 1 {
			return bindAt(items[0], to, "args[0]")
		}
	}
	return bindAt(value, to, "args")
}

func takesFields(kind reflect.Type) bool {
	return kind.Kind() == reflect.Struct && kind != timeType && kind != typedType && !unmarshals(kind)
}

func unmarshals(kind reflect.Type) bool {
	// Only types with a name, and structs that embed such, have methods.
	if kind.PkgPath() == "" && kind.Kind() != reflect.Struct {
		return false
	}
	pointer := reflect.PointerTo(kind)
	return pointer.Implements(textUnmarshalerType) || pointer.Implements(jsonUnmarshalerType)
}

func takesNull(kind reflect.Type) bool {
	switch kind.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map:
		return true
	default:
		return false
	}
}

func takesList(kind reflect.Type) bool {
	switch kind.Kind() {
	case reflect.Slice:
		return kind.Elem().Kind() != reflect.Uint8
	case reflect.Array, reflect.Interface:
		return true
	case reflect.Pointer:
		return takesList(kind.Elem())
	default:
		return unmarshals(kind)
	}
}

func bindFields(value any, to reflect.Value) error {
	fields := FieldsOf(to.Type())
	switch v := value.(type) {
	case map[string]any:
		return bindStruct(v, to, "args")
	case nil:
		return bindStruct(nil, to, "args")
	case []any:
		return bindPositions(v, fields, to)
	default:
		return bindPositions([]any{v}, fields, to)
	}
}

func bindPositions(items []any, fields []Field, to reflect.Value) error {
	if len(items) > len(fields) {
		return &ValueError{fmt.Sprintf("args[%d]", len(fields)), fmt.Sprintf("%d arguments for %d parameters%s", len(items), len(fields), listed(fields))}
	}
	for i := range fields {
		if i >= len(items) {
			if !fields[i].IsOptional {
				return &ValueError{"args." + fields[i].Name, "it is missing"}
			}
			continue
		}
		if err := bindField(items[i], &fields[i], to, fmt.Sprintf("args[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func listed(fields []Field) string {
	if len(fields) == 0 {
		return ""
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func bindStruct(entries map[string]any, to reflect.Value, path string) error {
	fields := FieldsOf(to.Type())
	found := 0
	for i := range fields {
		value, isThere := entries[fields[i].Name]
		if !isThere {
			if !fields[i].IsOptional {
				return &ValueError{path + "." + fields[i].Name, "it is missing"}
			}
			continue
		}
		found++
		if err := bindField(value, &fields[i], to, ""); err != nil {
			return within(err, path+"."+fields[i].Name)
		}
	}
	if found < len(entries) {
		return surplus(entries, fields, path)
	}
	return nil
}

func within(err error, path string) error {
	if failure, isOurs := err.(*ValueError); isOurs {
		return failure.within(path)
	}
	return err
}

func surplus(entries map[string]any, fields []Field, path string) error {
	known := map[string]bool{}
	for i := range fields {
		known[fields[i].Name] = true
	}
	var unknown []string
	for key := range entries {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	sort.Strings(unknown)
	taken := "nothing is taken here"
	if len(fields) > 0 {
		taken = "taken are" + strings.TrimSuffix(strings.Replace(listed(fields), "(", "", 1), ")")
	}
	return &ValueError{path + "." + unknown[0], "it is unknown; " + taken}
}

func bindField(value any, field *Field, to reflect.Value, path string) error {
	target := to.FieldByIndex(field.index)
	if err := bindAt(value, target, path); err != nil {
		return err
	}
	if len(field.Enum) > 0 && value != nil && !isListed(fmt.Sprint(indirect(target)), field.Enum) {
		return &ValueError{path, fmt.Sprintf("%v is none of %s", value, strings.Join(field.Enum, ", "))}
	}
	return nil
}

func indirect(value reflect.Value) any {
	for value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	return value.Interface()
}

func isListed(text string, among []string) bool {
	for _, each := range among {
		if each == text {
			return true
		}
	}
	return false
}

func misfit(value any, to reflect.Type, path string) error {
	return &ValueError{path, fmt.Sprintf("%s is expected, not %s", Describe(to), describeValue(value))}
}

func bindAt(value any, to reflect.Value, path string) error {
	kind := to.Type()
	if kind.Kind() == reflect.Pointer {
		if value == nil {
			to.SetZero()
			return nil
		}
		if to.IsNil() {
			to.Set(reflect.New(kind.Elem()))
		}
		return bindAt(value, to.Elem(), path)
	}
	if handled, err := bindSpecial(value, to, kind, path); handled {
		return err
	}
	switch kind.Kind() {
	case reflect.Interface:
		return bindInterface(value, to, kind, path)
	case reflect.Bool:
		if is, ok := value.(bool); ok {
			to.SetBool(is)
			return nil
		}
	case reflect.String:
		if text, ok := value.(string); ok {
			to.SetString(text)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return bindInteger(value, to, kind, path)
	case reflect.Float32, reflect.Float64:
		if number, ok := asFloat(value); ok {
			to.SetFloat(number)
			return nil
		}
	case reflect.Slice:
		return bindSlice(value, to, kind, path)
	case reflect.Array:
		return bindArray(value, to, kind, path)
	case reflect.Map:
		return bindMap(value, to, kind, path)
	case reflect.Struct:
		if entries, ok := value.(map[string]any); ok {
			return bindStruct(entries, to, path)
		}
	}
	return misfit(value, kind, path)
}

// bindSpecial handles types that have a form of their own.
func bindSpecial(value any, to reflect.Value, kind reflect.Type, path string) (handled bool, err error) {
	switch kind {
	case timeType:
		return true, bindTime(value, to, path)
	case typedType:
		if typed, ok := value.(Typed); ok {
			to.Set(reflect.ValueOf(typed))
			return true, nil
		}
		return true, misfit(value, kind, path)
	}
	if kind.Kind() == reflect.Interface || !unmarshals(kind) {
		return false, nil
	}
	pointer := to.Addr().Interface()
	if unmarshaler, ok := pointer.(encoding.TextUnmarshaler); ok {
		text, isText := value.(string)
		if !isText {
			return true, misfit(value, kind, path)
		}
		if err := unmarshaler.UnmarshalText([]byte(text)); err != nil {
			return true, &ValueError{path, err.Error()}
		}
		return true, nil
	}
	text, isTagged, err := (&jsonCodec{Limits{MaxDepth: math.MaxInt32}}).Append(nil, value, "", 0)
	if err == nil && isTagged {
		return true, misfit(value, kind, path)
	}
	if err == nil {
		err = pointer.(json.Unmarshaler).UnmarshalJSON(text)
	}
	if err != nil {
		return true, &ValueError{path, err.Error()}
	}
	return true, nil
}

func bindTime(value any, to reflect.Value, path string) error {
	switch v := value.(type) {
	case time.Time:
		to.Set(reflect.ValueOf(v))
		return nil
	case string:
		at, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return &ValueError{path, fmt.Sprintf("%q is no time such as 2026-01-31T12:00:00Z", v)}
		}
		to.Set(reflect.ValueOf(at))
		return nil
	}
	return misfit(value, timeType, path)
}

func bindInterface(value any, to reflect.Value, kind reflect.Type, path string) error {
	if value == nil {
		to.SetZero()
		return nil
	}
	given := reflect.ValueOf(value)
	if !given.Type().AssignableTo(kind) {
		return misfit(value, kind, path)
	}
	to.Set(given)
	return nil
}

func bindInteger(value any, to reflect.Value, kind reflect.Type, path string) error {
	if number, isFloat := value.(float64); isFloat && number == math.Trunc(number) && math.Abs(number) <= maxSafeInteger {
		value = int64(number)
	}
	isSigned := kind.Kind() <= reflect.Int64
	switch number := value.(type) {
	case int64:
		if isSigned && !to.OverflowInt(number) {
			to.SetInt(number)
			return nil
		}
		if !isSigned && number >= 0 && !to.OverflowUint(uint64(number)) {
			to.SetUint(uint64(number))
			return nil
		}
	case uint64:
		if !isSigned && !to.OverflowUint(number) {
			to.SetUint(number)
			return nil
		}
	default:
		return misfit(value, kind, path)
	}
	return &ValueError{path, fmt.Sprintf("%v is out of range for %s", value, kind)}
}

func asFloat(value any) (float64, bool) {
	switch number := value.(type) {
	case float64:
		return number, true
	case int64:
		return float64(number), true
	case uint64:
		return float64(number), true
	default:
		return 0, false
	}
}

func bindSlice(value any, to reflect.Value, kind reflect.Type, path string) error {
	if kind.Elem().Kind() == reflect.Uint8 {
		switch v := value.(type) {
		case []byte:
			to.SetBytes(v)
			return nil
		case Typed:
			to.SetBytes(v.Bytes)
			return nil
		}
	}
	switch v := value.(type) {
	case []any:
		items := reflect.MakeSlice(kind, len(v), len(v))
		for i, item := range v {
			if err := bindAt(item, items.Index(i), ""); err != nil {
				return within(err, path+"["+strconv.Itoa(i)+"]")
			}
		}
		to.Set(items)
		return nil
	case Typed:
		items := reflect.MakeSlice(kind, v.Len(), v.Len())
		for i := 0; i < v.Len(); i++ {
			if err := bindAt(v.At(i), items.Index(i), ""); err != nil {
				return within(err, path+"["+strconv.Itoa(i)+"]")
			}
		}
		to.Set(items)
		return nil
	}
	return misfit(value, kind, path)
}

func bindArray(value any, to reflect.Value, kind reflect.Type, path string) error {
	items, isList := value.([]any)
	if !isList {
		return misfit(value, kind, path)
	}
	if len(items) != kind.Len() {
		return &ValueError{path, fmt.Sprintf("%d items are expected, not %d", kind.Len(), len(items))}
	}
	for i, item := range items {
		if err := bindAt(item, to.Index(i), ""); err != nil {
			return within(err, path+"["+strconv.Itoa(i)+"]")
		}
	}
	return nil
}

func bindMap(value any, to reflect.Value, kind reflect.Type, path string) error {
	if value == nil {
		to.SetZero()
		return nil
	}
	entries, isMap := value.(map[string]any)
	if !isMap {
		return misfit(value, kind, path)
	}
	made := reflect.MakeMapWithSize(kind, len(entries))
	for text, entry := range entries {
		key := reflect.New(kind.Key()).Elem()
		if err := bindKey(text, key); err != nil {
			return &ValueError{path + "." + text, err.Error()}
		}
		content := reflect.New(kind.Elem()).Elem()
		if err := bindAt(entry, content, ""); err != nil {
			return within(err, path+"."+text)
		}
		made.SetMapIndex(key, content)
	}
	to.Set(made)
	return nil
}

func bindKey(text string, key reflect.Value) error {
	switch kind := key.Kind(); {
	case kind == reflect.String:
		key.SetString(text)
		return nil
	case kind >= reflect.Int && kind <= reflect.Int64:
		number, err := strconv.ParseInt(text, 10, key.Type().Bits())
		key.SetInt(number)
		return err
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		number, err := strconv.ParseUint(text, 10, key.Type().Bits())
		key.SetUint(number)
		return err
	}
	if unmarshaler, ok := key.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return unmarshaler.UnmarshalText([]byte(text))
	}
	return fmt.Errorf("keys of type %s cannot be read", key.Type())
}

// Describe says in words what values a type takes.
func Describe(kind reflect.Type) string {
	switch kind {
	case timeType:
		return "a time"
	case typedType:
		return "a typed array"
	}
	switch kind.Kind() {
	case reflect.Pointer:
		return Describe(kind.Elem())
	case reflect.Bool:
		return "a boolean"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return "binary"
		}
		return "a list"
	case reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		if unmarshals(kind) {
			return "a " + kind.String()
		}
		return "a map"
	case reflect.Interface:
		return "a value"
	default:
		return "an integer"
	}
}

func describeValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, uint64:
		return "an integer"
	case float64:
		return fmt.Sprintf("the number %v", v)
	case string:
		return "a string"
	case []byte:
		return "binary"
	case time.Time:
		return "a time"
	case Typed:
		return "a typed array"
	case []any:
		return "a list"
	default:
		return "a map"
	}
}

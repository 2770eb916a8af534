package codec

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
)

// Contract is what a command says of its arguments and results in the manifest, as "Contracts" in proto/PROTOCOL.md says.
type Contract struct {
	Schema     Pairs
	Positional []any // nil where arguments have no names
	Result     Pairs
}

// ContractOf describes a command by its types.
func ContractOf(arguments, result reflect.Type) Contract {
	contract := Contract{Schema: describeType(arguments, false), Result: describeType(result, true)}
	if takesFields(arguments) {
		contract.Positional = []any{}
		for _, field := range FieldsOf(arguments) {
			contract.Positional = append(contract.Positional, field.Name)
		}
	}
	return contract
}

// schemas describes types. What a command takes is wider than what it gives: a time may come as text, numbers as a typed array.
type schemas struct {
	isResult bool
	above    []reflect.Type
	names    map[reflect.Type]string
	defs     Pairs
}

func describeType(kind reflect.Type, isResult bool) Pairs {
	s := &schemas{isResult: isResult, names: map[reflect.Type]string{}}
	described := s.of(kind)
	if len(s.defs) > 0 {
		described = append(described, Pair{"$defs", s.defs})
	}
	return described
}

func typed(name string) Pairs { return Pairs{{"type", name}} }

func anyOf(choices ...any) Pairs { return Pairs{{"anyOf", choices}} }

func (s *schemas) of(kind reflect.Type) Pairs {
	switch kind {
	case timeType:
		isTime := Pairs{{"x-value", "time"}}
		if s.isResult {
			return isTime
		}
		return anyOf(isTime, Pairs{{"type", "string"}, {"format", "date-time"}})
	case typedType:
		return Pairs{{"x-value", "array"}}
	}
	if described, isOwn := s.ofMarshaler(kind); isOwn {
		return described
	}
	switch kind.Kind() {
	case reflect.Pointer:
		return nullable(s.of(kind.Elem()))
	case reflect.Bool:
		return typed("boolean")
	case reflect.String:
		return typed("string")
	case reflect.Float32, reflect.Float64:
		return typed("number")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return typed("integer")
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Pairs{{"type", "integer"}, {"minimum", 0}}
	case reflect.Slice:
		return s.ofSlice(kind.Elem())
	case reflect.Array:
		return Pairs{{"type", "array"}, {"items", s.of(kind.Elem())}, {"minItems", kind.Len()}, {"maxItems", kind.Len()}}
	case reflect.Map:
		described := Pairs{{"type", "object"}, {"additionalProperties", s.of(kind.Elem())}}
		if s.isResult {
			return described
		}
		return nullable(described)
	case reflect.Struct:
		return s.ofStruct(kind)
	default:
		return Pairs{}
	}
}

// ofMarshaler describes types that write and read themselves.
func (s *schemas) ofMarshaler(kind reflect.Type) (Pairs, bool) {
	if kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Interface {
		return nil, false
	}
	text, other := textUnmarshalerType, jsonUnmarshalerType
	if s.isResult {
		text, other = textMarshalerType, jsonMarshalerType
	}
	pointer := reflect.PointerTo(kind)
	switch {
	case pointer.Implements(text):
		return typed("string"), true
	case pointer.Implements(other):
		return Pairs{}, true
	}
	return nil, false
}

func (s *schemas) ofSlice(item reflect.Type) Pairs {
	list := Pairs{{"type", "array"}, {"items", s.of(item)}}
	isNumber := item.Kind() >= reflect.Int && item.Kind() <= reflect.Float64
	switch {
	case item.Kind() == reflect.Uint8 && s.isResult:
		return Pairs{{"x-value", "binary"}}
	case item.Kind() == reflect.Uint8:
		return anyOf(Pairs{{"x-value", "binary"}}, Pairs{{"x-value", "array"}}, list)
	case isNumber && !s.isResult:
		return anyOf(list, Pairs{{"x-value", "array"}})
	default:
		return list
	}
}

func nullable(schema Pairs) Pairs {
	if len(schema) == 0 {
		return schema
	}
	for i, pair := range schema {
		switch content := pair.Value.(type) {
		case string:
			if pair.Key == "type" {
				schema[i].Value = []any{content, "null"}
				return schema
			}
		case []any:
			if pair.Key == "anyOf" {
				schema[i].Value = append(content, typed("null"))
				return schema
			}
			if pair.Key == "type" {
				return schema
			}
		}
	}
	return anyOf(schema, typed("null"))
}

func (s *schemas) ofStruct(kind reflect.Type) Pairs {
	for _, each := range s.above {
		// A type that holds itself has a name, to which it refers.
		if each == kind {
			return Pairs{{"$ref", "#/$defs/" + s.nameOf(kind)}}
		}
	}
	s.above = append(s.above, kind)
	described := s.ofFields(kind)
	s.above = s.above[:len(s.above)-1]
	if name, isNamed := s.names[kind]; isNamed {
		for _, def := range s.defs {
			if def.Key == name {
				return Pairs{{"$ref", "#/$defs/" + name}}
			}
		}
		s.defs = append(s.defs, Pair{name, described})
		return Pairs{{"$ref", "#/$defs/" + name}}
	}
	return described
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

func (s *schemas) nameOf(kind reflect.Type) string {
	name, isNamed := s.names[kind]
	if !isNamed {
		name = notInName.ReplaceAllString(kind.Name(), "_") + "_" + strconv.Itoa(len(s.names))
		s.names[kind] = name
	}
	return name
}

func (s *schemas) ofFields(kind reflect.Type) Pairs {
	properties := Pairs{}
	required := []any{}
	for _, field := range FieldsOf(kind) {
		schema := s.of(field.Type)
		if len(field.Enum) > 0 {
			schema = append(schema, Pair{"enum", enumValues(field)})
		}
		if field.Doc != "" {
			schema = append(schema, Pair{"description", field.Doc})
		}
		properties = append(properties, Pair{field.Name, schema})
		if s.isResult && !field.IsOmitted || !s.isResult && !field.IsOptional {
			required = append(required, field.Name)
		}
	}
	described := Pairs{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		described = append(described, Pair{"required", required})
	}
	return append(described, Pair{"additionalProperties", false})
}

func enumValues(field Field) []any {
	kind := field.Type
	isOptional := kind.Kind() == reflect.Pointer
	if isOptional {
		kind = kind.Elem()
	}
	values := make([]any, 0, len(field.Enum)+1)
	for _, text := range field.Enum {
		value := reflect.New(kind)
		if kind.Kind() != reflect.String && json.Unmarshal([]byte(text), value.Interface()) == nil {
			values = append(values, value.Elem().Interface())
			continue
		}
		values = append(values, text)
	}
	if isOptional {
		values = append(values, nil)
	}
	return values
}

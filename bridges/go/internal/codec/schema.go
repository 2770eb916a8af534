package codec

import (
	"encoding/json"
	"reflect"
)

// Schema describes the values that a type takes in JSON Schema. What JSON Schema has no word for, such as binary, is left open.
func Schema(kind reflect.Type) Pairs { return schemaOf(kind, nil) }

// ArgumentSchema describes the arguments of a command, given as a map where they are several.
func ArgumentSchema(kind reflect.Type) Pairs { return schemaOf(kind, nil) }

func schemaOf(kind reflect.Type, above []reflect.Type) Pairs {
	switch {
	case kind == timeType || kind == typedType || (kind.Kind() != reflect.Pointer && kind.Kind() != reflect.Interface && unmarshals(kind)):
		return Pairs{}
	}
	switch kind.Kind() {
	case reflect.Pointer:
		return nullable(schemaOf(kind.Elem(), above))
	case reflect.Bool:
		return Pairs{{"type", "boolean"}}
	case reflect.String:
		return Pairs{{"type", "string"}}
	case reflect.Float32, reflect.Float64:
		return Pairs{{"type", "number"}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Pairs{{"type", "integer"}}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Pairs{{"type", "integer"}, {"minimum", 0}}
	case reflect.Slice:
		// Numbers may come as a typed array, and bytes as binary, for which there is no type.
		if isNumber(kind.Elem()) {
			return Pairs{}
		}
		return Pairs{{"type", "array"}, {"items", schemaOf(kind.Elem(), above)}}
	case reflect.Array:
		return Pairs{{"type", "array"}, {"items", schemaOf(kind.Elem(), above)}, {"minItems", kind.Len()}, {"maxItems", kind.Len()}}
	case reflect.Map:
		return nullable(Pairs{{"type", "object"}, {"additionalProperties", schemaOf(kind.Elem(), above)}})
	case reflect.Struct:
		return structSchema(kind, above)
	default:
		return Pairs{}
	}
}

func isNumber(kind reflect.Type) bool {
	return kind.Kind() >= reflect.Int && kind.Kind() <= reflect.Float64
}

func nullable(schema Pairs) Pairs {
	for i, pair := range schema {
		if kind, isText := pair.Value.(string); isText && pair.Key == "type" {
			schema[i].Value = []any{kind, "null"}
		}
	}
	return schema
}

func structSchema(kind reflect.Type, above []reflect.Type) Pairs {
	for _, each := range above {
		// A type that holds itself is described to its first repetition.
		if each == kind {
			return Pairs{{"type", "object"}}
		}
	}
	above = append(above, kind)
	properties := Pairs{}
	required := []any{}
	for _, field := range FieldsOf(kind) {
		schema := schemaOf(field.Type, above)
		if len(field.Enum) > 0 {
			schema = append(schema, Pair{"enum", enumValues(field)})
		}
		if field.Doc != "" {
			schema = append(schema, Pair{"description", field.Doc})
		}
		properties = append(properties, Pair{field.Name, schema})
		if !field.IsOptional {
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

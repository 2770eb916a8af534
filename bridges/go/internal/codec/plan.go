package codec

import (
	"reflect"
	"strings"
	"sync"
	"unicode"
)

// Field is how a field of a struct travels.
type Field struct {
	Name      string
	Doc       string
	Enum      []string
	IsOmitted bool // when it is empty
	// Whether the map may lack it when it comes in.
	IsOptional bool
	Type       reflect.Type
	index      []int
}

var plans sync.Map

// FieldsOf lists the fields of a struct that travel, in order; those of embedded structs are among them.
func FieldsOf(kind reflect.Type) []Field {
	if found, ok := plans.Load(kind); ok {
		return found.([]Field)
	}
	var fields []Field
	seen := map[string]bool{}
	collect(kind, nil, &fields, seen, map[reflect.Type]bool{})
	found, _ := plans.LoadOrStore(kind, fields)
	return found.([]Field)
}

func collect(kind reflect.Type, index []int, fields *[]Field, seen map[string]bool, above map[reflect.Type]bool) {
	if above[kind] {
		return
	}
	above[kind] = true
	defer delete(above, kind)
	var embedded []reflect.StructField
	for i := 0; i < kind.NumField(); i++ {
		field := kind.Field(i)
		tag, hasTag := field.Tag.Lookup("json")
		if tag == "-" {
			continue
		}
		if field.Anonymous && !hasTag && field.Type.Kind() == reflect.Struct && field.Type != timeType {
			embedded = append(embedded, field)
			continue
		}
		if !field.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		if name == "" {
			name = LowerFirst(field.Name)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		omits := strings.Contains(","+rest+",", ",omitempty,") || strings.Contains(","+rest+",", ",omitzero,")
		described := Field{
			Name: name, Doc: field.Tag.Get("doc"), IsOmitted: omits, IsOptional: omits || field.Type.Kind() == reflect.Pointer,
			Type: field.Type, index: append(append([]int{}, index...), i),
		}
		if enum := field.Tag.Get("enum"); enum != "" {
			described.Enum = strings.Split(enum, ",")
		}
		*fields = append(*fields, described)
	}
	for _, field := range embedded {
		collect(field.Type, append(append([]int{}, index...), field.Index...), fields, seen, above)
	}
}

// LowerFirst is the name of a Go field as it is spelled outside of Go: "UserID" is "userID", "URLPath" is "urlPath", "ID" is "id".
func LowerFirst(name string) string {
	letters := []rune(name)
	for i := range letters {
		if !unicode.IsUpper(letters[i]) || (i > 0 && i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			break
		}
		letters[i] = unicode.ToLower(letters[i])
	}
	return string(letters)
}

package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"
)

const vectors = "../../../../proto/vectors/values.json"

type vectorFile struct {
	Cases []struct {
		Name       string
		Value      json.RawMessage
		JSON       *vectorBody
		Msgpack    *vectorBody
		DecodeOnly bool
	}
	Refused []struct {
		Name   string
		Codec  string
		Tagged bool
		Hex    string
	}
}

type vectorBody struct {
	Hex    string
	Tagged bool
}

func (b vectorBody) bytes(t *testing.T) []byte { return fromHex(t, b.Hex) }

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readVectors(t *testing.T) vectorFile {
	t.Helper()
	text, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// notation reads a value in the notation of the vectors, keeping the order of maps.
func notation(t *testing.T, from *json.Decoder) any {
	t.Helper()
	token, err := from.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			items := []any{}
			for from.More() {
				items = append(items, notation(t, from))
			}
			_, _ = from.Token()
			return items
		}
		pairs := Pairs{}
		for from.More() {
			key, _ := from.Token()
			pairs = append(pairs, Pair{key.(string), notation(t, from)})
		}
		_, _ = from.Token()
		return untagged(t, pairs)
	case json.Number:
		if number, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return number
		}
		number, err := v.Float64()
		if err != nil {
			t.Fatal(err)
		}
		return number
	default:
		return token
	}
}

func untagged(t *testing.T, pairs Pairs) any {
	if len(pairs) != 1 {
		return pairs
	}
	content := pairs[0].Value
	switch pairs[0].Key {
	case "$esc":
		// What is inside was taken for a tag if it looks like one; only maps are escaped in the vectors.
		return content
	case "$int":
		value, err := scalarOf("$int", content.(string))
		if err != nil {
			t.Fatal(err)
		}
		return value
	case "$float", "$time":
		value, err := scalarOf(pairs[0].Key, content.(string))
		if err != nil {
			t.Fatal(err)
		}
		return value
	case "$bin":
		return fromHex(t, content.(string))
	case "$typed":
		parts := content.([]any)
		return Typed{parts[0].(string), fromHex(t, parts[1].(string))}
	}
	return pairs
}

// valueOf reads a value in the notation of the vectors; maps below $esc as they are.
func valueOf(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	var tree map[string]json.RawMessage
	if json.Unmarshal(raw, &tree) == nil && len(tree) == 1 && tree["$esc"] != nil {
		return pairsOf(t, tree["$esc"])
	}
	if json.Unmarshal(raw, &tree) == nil && tree != nil && tagOf(tree) == "" {
		return pairsOf(t, raw)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && list != nil {
		items := make([]any, len(list))
		for i := range list {
			items[i] = valueOf(t, list[i])
		}
		return items
	}
	from := json.NewDecoder(bytes.NewReader(raw))
	from.UseNumber()
	return notation(t, from)
}

func tagOf(tree map[string]json.RawMessage) string {
	for key := range tree {
		if len(tree) == 1 && len(key) > 0 && key[0] == '$' {
			return key
		}
	}
	return ""
}

// pairsOf reads a map whose keys mean nothing special.
func pairsOf(t *testing.T, raw json.RawMessage) Pairs {
	t.Helper()
	from := json.NewDecoder(bytes.NewReader(raw))
	_, _ = from.Token()
	pairs := Pairs{}
	for from.More() {
		key, err := from.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := from.Decode(&value); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, Pair{key.(string), valueOf(t, value)})
	}
	return pairs
}

func codecs() map[string]Codec {
	limits := Limits{MaxDepth: 64, TypedArrays: true}
	return map[string]Codec{"json": New("json", limits), "msgpack": New("msgpack", limits)}
}

func TestVectorsAreWrittenByteForByte(t *testing.T) {
	for _, each := range readVectors(t).Cases {
		for name, codec := range codecs() {
			body := map[string]*vectorBody{"json": each.JSON, "msgpack": each.Msgpack}[name]
			if body == nil || each.DecodeOnly {
				continue
			}
			encoded, isTagged, err := codec.Append(nil, valueOf(t, each.Value), "value", 0)
			if err != nil || isTagged != body.Tagged || hex.EncodeToString(encoded) != body.Hex {
				t.Errorf("%s as %s: %x (tagged %v, %v), not %s", each.Name, name, encoded, isTagged, err, body.Hex)
			}
		}
	}
}

func TestVectorsAreRead(t *testing.T) {
	count := 0
	for _, each := range readVectors(t).Cases {
		for name, codec := range codecs() {
			body := map[string]*vectorBody{"json": each.JSON, "msgpack": each.Msgpack}[name]
			if body == nil {
				continue
			}
			count++
			decoded, err := codec.Decode(body.bytes(t), body.Tagged, 0)
			if want := plain(valueOf(t, each.Value)); err != nil || !isSame(decoded, want) {
				t.Errorf("%s from %s: %#v (%v), not %#v", each.Name, name, decoded, err, want)
			}
		}
	}
	if count < 100 {
		t.Errorf("only %d vectors were found", count)
	}
}

func TestVectorsThatMustBeRefusedAre(t *testing.T) {
	for _, each := range readVectors(t).Refused {
		if value, err := codecs()[each.Codec].Decode(fromHex(t, each.Hex), each.Tagged, 0); err == nil {
			t.Errorf("%s was read as %#v", each.Name, value)
		}
	}
}

// plain turns ordered maps into those that decoders make.
func plain(value any) any {
	switch v := value.(type) {
	case Pairs:
		entries := map[string]any{}
		for _, pair := range v {
			entries[pair.Key] = plain(pair.Value)
		}
		return entries
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = plain(v[i])
		}
		return items
	default:
		return value
	}
}

func isSame(a, b any) bool {
	switch x := a.(type) {
	case float64:
		switch y := b.(type) {
		case float64:
			return math.Float64bits(x) == math.Float64bits(y) || (x != x && y != y)
		case int64:
			return x == float64(y)
		}
	case time.Time:
		y, isTime := b.(time.Time)
		return isTime && x.Equal(y)
	case []byte:
		y, isBytes := b.([]byte)
		return isBytes && bytes.Equal(x, y)
	case Typed:
		y, isTyped := b.(Typed)
		return isTyped && x.Element == y.Element && bytes.Equal(x.Bytes, y.Bytes)
	case []any:
		y, isList := b.([]any)
		if !isList || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !isSame(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, isMap := b.(map[string]any)
		if !isMap || len(x) != len(y) {
			return false
		}
		for key := range x {
			if other, isThere := y[key]; !isThere || !isSame(x[key], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func FuzzDecode(f *testing.F) {
	text, err := os.ReadFile(vectors)
	if err != nil {
		f.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil {
		f.Fatal(err)
	}
	for _, each := range file.Cases {
		for _, body := range []*vectorBody{each.JSON, each.Msgpack} {
			if body != nil {
				data, _ := hex.DecodeString(body.Hex)
				f.Add(data, body.Tagged, body == each.JSON)
			}
		}
	}
	for _, each := range file.Refused {
		data, _ := hex.DecodeString(each.Hex)
		f.Add(data, each.Tagged, each.Codec == "json")
	}
	f.Fuzz(func(t *testing.T, body []byte, isTagged, isJSON bool) {
		codec := codecs()["msgpack"]
		if isJSON {
			codec = codecs()["json"]
		}
		value, err := codec.Decode(body, isTagged, 0)
		if err != nil {
			return
		}
		// What was read can be written, and is read as the same. Times have milliseconds, and years of four digits in JSON.
		encoded, tagged, err := codec.Append(nil, value, "value", 0)
		if err != nil {
			if _, isOurs := err.(*ValueError); !isOurs || !isJSON {
				t.Fatalf("%#v cannot be written: %v", value, err)
			}
			return
		}
		again, err := codec.Decode(encoded, tagged, 0)
		if err != nil || !isSame(rounded(again), rounded(value)) {
			t.Fatalf("%#v became %#v (%v)", value, again, err)
		}
	})
}

func rounded(value any) any {
	switch v := value.(type) {
	case time.Time:
		return v.Truncate(time.Millisecond)
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = rounded(v[i])
		}
		return items
	case map[string]any:
		entries := map[string]any{}
		for key := range v {
			entries[key] = rounded(v[key])
		}
		return entries
	case float64:
		// Without a fraction it is an integer in JSON.
		return v
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	default:
		return value
	}
}

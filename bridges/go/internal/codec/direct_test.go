package codec

import (
	"math"
	"reflect"
	"testing"
)

type scalars struct {
	Flag  bool
	Count int
	Small int8 `json:",omitempty"`
	Size  uint16
	Big   uint64 `json:",omitempty"`
	Ratio float64
	Half  float32 `json:",omitempty"`
	Text  string
}

// both reads a body by both ways; what the direct one takes, the general one must take, too, and to the same effect.
func both(t *testing.T, body []byte) (isDirect bool) {
	t.Helper()
	var direct, general scalars
	isDirect = DirectOf(reflect.TypeOf(direct)).Read(body, &direct)
	value, err := New("msgpack", Limits{MaxDepth: 8}).Decode(body, false, 0)
	if err == nil {
		err = BindArguments(value, &general)
	}
	if isDirect && (err != nil || !reflect.DeepEqual(direct, general)) {
		t.Fatalf("% x: directly %+v, else %+v, %v", body, direct, general, err)
	}
	return isDirect
}

func bodyOf(t testing.TB, value any) []byte {
	t.Helper()
	body, _, err := New("msgpack", Limits{MaxDepth: 8}).Append(nil, value, "args", 0)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func with(key string, value any) map[string]any {
	all := map[string]any{"flag": true, "count": 1, "size": 2, "ratio": 0.5, "text": "é"}
	if key != "" {
		all[key] = value
	}
	return all
}

func TestScalarsAreReadDirectly(t *testing.T) {
	for _, each := range []map[string]any{
		with("", nil), with("flag", false), with("ratio", 3), with("ratio", -1e300), with("text", string(make([]byte, 70_000))),
		with("small", -128), with("small", 127), with("size", 65535), with("big", uint64(math.MaxInt64)), with("half", 0.25),
	} {
		if !both(t, bodyOf(t, each)) {
			t.Errorf("%v was left to the general way", each)
		}
	}
	for _, number := range []int64{0, 127, 128, 255, 256, 65535, 65536, 1 << 40, math.MaxInt64, -1, -32, -33, -128, -129, -32769, math.MinInt64} {
		if !both(t, bodyOf(t, with("count", number))) {
			t.Errorf("%d was left to the general way", number)
		}
	}
}

func TestWhatDoesNotFitIsLeftToTheGeneralWay(t *testing.T) {
	for _, each := range []any{
		with("small", 128), with("size", -1), with("size", 65536), with("big", -1), with("big", uint64(math.MaxUint64)), with("count", 1.0),
		with("count", "1"), with("text", nil), with("text", []byte("x")), with("flag", 1), with("unknown", 1), with("ratio", []any{}),
		map[string]any{"flag": true}, map[string]any{}, []any{true, 1}, nil, 7,
	} {
		if both(t, bodyOf(t, each)) {
			t.Errorf("%v was read directly", each)
		}
	}
	whole := bodyOf(t, with("", nil))
	for cut := range whole {
		both(t, whole[:cut])
	}
	if both(t, append(whole, 0)) {
		t.Error("bytes behind the value were passed over")
	}
	twice := append([]byte{0x86}, whole[1:]...)
	if both(t, append(twice, 0xa4, 'f', 'l', 'a', 'g', 0xc3)) {
		t.Error("a key that comes twice was read directly")
	}
}

func TestOnlyStructsOfScalarsAreReadDirectly(t *testing.T) {
	type limited struct {
		Mode string `enum:"a,b"`
	}
	for _, each := range []any{1, "", map[string]any{}, struct{ At *int }{}, struct{ Items []int }{}, struct{ Value any }{}, limited{}, Typed{}} {
		if DirectOf(reflect.TypeOf(each)) != nil {
			t.Errorf("%T", each)
		}
	}
}

func FuzzDirect(f *testing.F) {
	f.Add(bodyOf(f, with("", nil)))
	f.Add(bodyOf(f, with("count", -70000)))
	f.Fuzz(func(t *testing.T, body []byte) { both(t, body) })
}

package frame

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
)

type vectorFile struct {
	Cases []struct {
		Name  string
		Frame struct {
			Kind, Flags byte
			Aux         uint16
			ID          uint32
		}
		BodyHex string
		Hex     string
	}
	Refused []struct {
		Name          string
		MaxFrameBytes int
		Hex           string
	}
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	text, err := os.ReadFile("../../../../proto/vectors/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil || len(file.Cases) < 10 {
		t.Fatal(len(file.Cases), err)
	}
	return file
}

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// inPieces reads data in pieces of a size.
func inPieces(data []byte, size int) func([]byte) (int, error) {
	return func(to []byte) (int, error) {
		if len(data) == 0 {
			return 0, io.EOF
		}
		count := copy(to, data[:min(size, len(data))])
		data = data[count:]
		return count, nil
	}
}

func TestFramesAreWrittenAndReadByteForByte(t *testing.T) {
	for _, each := range readVectors(t).Cases {
		whole, body := fromHex(t, each.Hex), fromHex(t, each.BodyHex)
		if written := Append(nil, each.Frame.Kind, each.Frame.Flags, each.Frame.Aux, each.Frame.ID, body); !bytes.Equal(written, whole) {
			t.Errorf("%s: %x", each.Name, written)
		}
		for _, size := range []int{1, 5, 1000} {
			read, err := NewReader(inPieces(whole, size), 1<<20).Next()
			if err != nil || read.Kind != each.Frame.Kind || read.Flags != each.Frame.Flags || read.Aux != each.Frame.Aux ||
				read.ID != each.Frame.ID || !bytes.Equal(read.Body, body) {
				t.Errorf("%s: %+v (%v)", each.Name, read, err)
			}
		}
	}
}

func TestFramesThatAreTooLargeAreRefusedFromTheirHeader(t *testing.T) {
	for _, each := range readVectors(t).Refused {
		_, err := NewReader(inPieces(fromHex(t, each.Hex), 12), each.MaxFrameBytes).Next()
		var tooLarge *TooLarge
		if !errors.As(err, &tooLarge) {
			t.Errorf("%s: %v", each.Name, err)
		}
	}
}

func TestBodiesLargerThanTheBufferAreReadWhole(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	data := Append(Append(Append(nil, Ping, 0, 0, 1, nil), Call, 0, 0, 2, body), Ping, 0, 0, 3, nil)
	reader := NewReader(inPieces(data, 7777), len(body))
	for id := uint32(1); id <= 3; id++ {
		read, err := reader.Next()
		if err != nil || read.ID != id || (id == 2) != bytes.Equal(read.Body, body) {
			t.Fatalf("%d: %d bytes (%v)", id, len(read.Body), err)
		}
	}
}

// Whatever comes in whatever pieces: no panic, and the frames that come out are the bytes that went in.
func FuzzReader(f *testing.F) {
	for _, each := range readVectors(f).Cases {
		f.Add(fromHex(f, each.Hex), 3)
	}
	for _, each := range readVectors(f).Refused {
		f.Add(fromHex(f, each.Hex), 12)
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size < 1 {
			size = 1
		}
		reader := NewReader(inPieces(data, size), 1<<16)
		var again []byte
		for {
			read, err := reader.Next()
			if err != nil {
				break
			}
			again = Append(again, read.Kind, read.Flags, read.Aux, read.ID, read.Body)
		}
		if !bytes.HasPrefix(data, again) {
			t.Fatalf("%x became %x", data, again)
		}
	})
}

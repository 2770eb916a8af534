package snakepit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

// Version is that of this SDK.
const Version = "0.1.0"

const maxHelloBytes = 1 << 20

// hostHello is what the host says of itself.
type hostHello struct {
	Protocol      []int
	Codecs        []string
	MaxFrameBytes int
	MaxDepth      int
	StreamCredit  int
	TypedArrays   bool
	Arena         *struct{ FD int }
}

func readHello(in *frame.Reader) (hostHello, error) {
	hello := hostHello{Protocol: []int{2}, Codecs: []string{"json"}, MaxFrameBytes: 64 << 20, MaxDepth: 64, StreamCredit: 64}
	first, err := in.Next()
	if err != nil {
		return hello, err
	}
	if first.Kind != frame.Hello {
		return hello, fmt.Errorf("the host must begin with HELLO, not with kind 0x%02x", first.Kind)
	}
	if err := json.Unmarshal(first.Body, &hello); err != nil {
		return hello, fmt.Errorf("malformed HELLO from the host: %w", err)
	}
	if hello.MaxFrameBytes < 1 || hello.MaxDepth < 1 || hello.StreamCredit < 1 {
		return hello, fmt.Errorf("malformed HELLO from the host: a limit below 1")
	}
	in.MaxBytes = hello.MaxFrameBytes
	return hello, nil
}

// chooseCodec is the first that both sides have.
func (h hostHello) chooseCodec() (codec.Codec, error) {
	speaksTwo := false
	for _, version := range h.Protocol {
		speaksTwo = speaksTwo || version == 2
	}
	if !speaksTwo {
		return nil, startFailure(fmt.Sprintf("the host speaks protocol %v, this worker 2", h.Protocol))
	}
	for _, name := range h.Codecs {
		if name == "msgpack" || name == "json" {
			return codec.New(name, codec.Limits{MaxDepth: h.MaxDepth, TypedArrays: h.TypedArrays}), nil
		}
	}
	return nil, startFailure(fmt.Sprintf("the host has the codecs %v, this worker msgpack and json", h.Codecs))
}

func answerHello(w *Worker, codecName string) ([]byte, error) {
	members := codec.Pairs{
		{Key: "protocol", Value: 2},
		{Key: "codec", Value: codecName},
		{Key: "language", Value: "go"},
		{Key: "runtime", Value: runtimeOf()},
		{Key: "sdk", Value: codec.Pairs{{Key: "name", Value: "snakepit-go"}, {Key: "version", Value: Version}}},
		{Key: "pid", Value: os.Getpid()},
		{Key: "typedArrays", Value: true},
		{Key: "arena", Value: false},
		{Key: "batches", Value: true},
	}
	if name := stackSignalName; name != "" {
		members = append(members, codec.Pair{Key: "stackSignal", Value: name})
	}
	return helloFrame(append(members, codec.Pair{Key: "commands", Value: w.manifest()}))
}

func runtimeOf() codec.Pairs {
	return codec.Pairs{{Key: "name", Value: runtime.Compiler}, {Key: "version", Value: strings.TrimPrefix(runtime.Version(), "go")}}
}

func failedHello(err error) []byte {
	described, _ := errorMap(err, nil)
	whole, failure := helloFrame(codec.Pairs{{Key: "error", Value: described}})
	if failure != nil {
		return nil
	}
	return whole
}

const maxHelloDepth = 256

func helloFrame(members codec.Pairs) ([]byte, error) {
	text, isTagged, err := codec.New("json", codec.Limits{MaxDepth: maxHelloDepth}).Append(nil, members, "hello", 0)
	if err != nil {
		return nil, err
	}
	if isTagged {
		return nil, startFailure("the manifest holds what JSON has no word for, such as an enum of infinite numbers")
	}
	return frame.Append(nil, frame.Hello, 0, 0, 0, bytes.TrimSpace(text)), nil
}

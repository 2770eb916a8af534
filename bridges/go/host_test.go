package snakepit_test

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

const patience = 20 * time.Second

// host starts this test's own program as a worker, over a real socket pair, and speaks frames with it.
type host struct {
	t       *testing.T
	socket  *net.UnixConn
	in      *frame.Reader
	codec   codec.Codec
	process *exec.Cmd
	stdout  strings.Builder
	stderr  strings.Builder
	hello   map[string]any
	index   map[string]uint16
}

// startHost starts the worker that mainFor names and greets it.
func startHost(t *testing.T, worker string, members map[string]any) *host {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(pair[0])
	ours, theirs := os.NewFile(uintptr(pair[0]), "host"), os.NewFile(uintptr(pair[1]), "worker")
	defer ours.Close()
	defer theirs.Close()
	connection, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, socket: connection.(*net.UnixConn), index: map[string]uint16{}}
	h.process = exec.Command(os.Args[0])
	h.process.Env = append(os.Environ(), "SNAKEPIT_PROTOCOL=v2", "SNAKEPIT_FD=3", workerVariable+"="+worker)
	h.process.ExtraFiles = []*os.File{theirs}
	h.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.process.Stdout, h.process.Stderr = &h.stdout, &h.stderr
	if err := h.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.socket.Close()
		_ = syscall.Kill(-h.process.Process.Pid, syscall.SIGKILL)
		_ = h.process.Wait()
	})
	_ = h.socket.SetDeadline(time.Now().Add(patience))
	h.in = frame.NewReader(h.socket.Read, 64<<20)
	h.greet(members)
	return h
}

func (h *host) greet(members map[string]any) {
	h.t.Helper()
	hello := map[string]any{"protocol": []int{2}, "codecs": []string{"msgpack"}, "maxFrameBytes": 1 << 20, "maxDepth": 64, "streamCredit": 4}
	for name, value := range members {
		hello[name] = value
	}
	text, _ := json.Marshal(hello)
	h.send(frame.Hello, 0, 0, 0, text)
	answer := h.receive()
	if err := json.Unmarshal(answer.Body, &h.hello); err != nil || answer.Kind != frame.Hello {
		h.t.Fatalf("no hello but %+v (%v)", answer, err)
	}
	name, _ := h.hello["codec"].(string)
	h.codec = codec.New(name, codec.Limits{MaxDepth: 64, TypedArrays: true})
	commands, _ := h.hello["commands"].([]any)
	for i, each := range commands {
		h.index[each.(map[string]any)["name"].(string)] = uint16(i)
	}
}

func (h *host) send(kind, flags byte, aux uint16, id uint32, body []byte) {
	h.t.Helper()
	h.write(frame.Append(nil, kind, flags, aux, id, body))
}

func (h *host) write(data []byte) {
	h.t.Helper()
	if _, err := h.socket.Write(data); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) receive() frame.Frame {
	h.t.Helper()
	next, err := h.in.Next()
	if err != nil {
		h.t.Fatalf("%v; stderr: %s", err, h.stderr.String())
	}
	return next
}

// until is the next frame of a kind; others before it are passed over.
func (h *host) until(kind byte, id uint32) frame.Frame {
	h.t.Helper()
	for {
		if next := h.receive(); next.Kind == kind && next.ID == id {
			return next
		}
	}
}

func (h *host) encode(value any) []byte {
	h.t.Helper()
	body, isTagged, err := h.codec.Append(nil, value, "value", 2)
	if err != nil || isTagged {
		h.t.Fatalf("%v, tagged: %v", err, isTagged)
	}
	return body
}

func (h *host) decode(f frame.Frame) any {
	h.t.Helper()
	value, err := h.codec.Decode(f.Body, f.Flags&frame.FlagTagged != 0, 2)
	if err != nil {
		h.t.Fatal(err)
	}
	return value
}

type callOptions struct {
	stream   bool
	deadline time.Duration
	meta     map[string]any
}

func (h *host) frameOf(id uint32, name string, arguments any, options callOptions) []byte {
	h.t.Helper()
	var flags byte
	value := arguments
	if options.meta != nil {
		flags |= frame.FlagMeta
		value = []any{options.meta, arguments}
	}
	body := h.encode(value)
	if options.deadline != 0 {
		flags |= frame.FlagDeadline
		body = append(binary.BigEndian.AppendUint32(nil, uint32(options.deadline.Milliseconds())), body...)
	}
	if options.stream {
		flags |= frame.FlagStream
	}
	index, isKnown := h.index[name]
	if !isKnown {
		index = frame.NamedCommand
	}
	return frame.Append(nil, frame.Call, flags, index, id, body)
}

func (h *host) call(id uint32, name string, arguments any, options callOptions) {
	h.t.Helper()
	h.write(h.frameOf(id, name, arguments, options))
}

func (h *host) result(id uint32, name string, arguments any) any {
	h.t.Helper()
	h.call(id, name, arguments, callOptions{})
	answer := h.receive()
	if answer.Kind != frame.Result || answer.ID != id {
		h.t.Fatalf("no result of %d but kind 0x%02x of %d: %v", id, answer.Kind, answer.ID, h.decode(answer))
	}
	return h.decode(answer)
}

func (h *host) failure(id uint32, name string, arguments any, options callOptions) map[string]any {
	h.t.Helper()
	h.call(id, name, arguments, options)
	return h.decode(h.until(frame.Error, id)).(map[string]any)
}

// ended waits for the worker's end and returns its exit status.
func (h *host) ended() int {
	h.t.Helper()
	done := make(chan struct{})
	go func() {
		_ = h.process.Wait()
		close(done)
	}()
	select {
	case <-done:
		return h.process.ProcessState.ExitCode()
	case <-time.After(patience):
		h.t.Fatal("the worker did not end")
		return 0
	}
}

func (h *host) atEnd() bool {
	_, err := h.in.Next()
	return err == io.EOF
}

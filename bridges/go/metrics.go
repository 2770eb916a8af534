package snakepit

import (
	"fmt"
	"math"
	"sort"
	"sync"
	"time"

	"nestjs-snakepit/snakepit/internal/codec"
	"nestjs-snakepit/snakepit/internal/frame"
)

const (
	metricsEvent = "snakepit.metrics"
	metricsWait  = 100 * time.Millisecond
	maxMeasured  = 1000
)

// Metrics adds up what commands measure, and sends it before the next answer, or after a tenth of a second. Labels are pairs of a name and a
// value: Count("rows", 3, "table", "orders"). Names and labels are letters, digits and underscores.
type Metrics struct {
	server  *server
	mu      sync.Mutex
	entries map[string]*measured
	order   []*measured
	size    int
	timer   *time.Timer
}

type measured struct {
	kind   string
	name   string
	labels any
	value  float64
	values []float64
}

func newMetrics(s *server) *Metrics { return &Metrics{server: s, entries: map[string]*measured{}} }

// Count adds an amount, which must not be negative, to a counter.
func (m *Metrics) Count(name string, amount float64, labels ...string) {
	if amount < 0 {
		panic(fmt.Sprintf("metric %q: a count must not be negative, and %v is", name, amount))
	}
	m.note("count", name, amount, labels)
}

// Gauge sets a value that goes up and down; each worker has its own.
func (m *Metrics) Gauge(name string, value float64, labels ...string) {
	m.note("gauge", name, value, labels)
}

// Observe adds a value to a histogram.
func (m *Metrics) Observe(name string, value float64, labels ...string) {
	m.note("observe", name, value, labels)
}

func (m *Metrics) note(kind, name string, value float64, labels []string) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		panic(fmt.Sprintf("metric %q: %v is not a finite number", name, value))
	}
	if len(labels)%2 != 0 {
		panic(fmt.Sprintf("metric %q: labels are pairs of a name and a value, and %d texts were given", name, len(labels)))
	}
	m.mu.Lock()
	entry := m.entry(kind, name, labels)
	switch kind {
	case "count":
		entry.value += value
	case "gauge":
		entry.value = value
	default:
		entry.values = append(entry.values, value)
		m.size++
	}
	isFull := m.size > maxMeasured
	if m.timer == nil {
		m.timer = time.AfterFunc(metricsWait, func() { m.flush(0) })
	}
	m.mu.Unlock()
	if isFull {
		m.flush(0)
	}
}

// entry needs the lock.
func (m *Metrics) entry(kind, name string, labels []string) *measured {
	pairs := make(codec.Pairs, 0, len(labels)/2)
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, codec.Pair{Key: labels[i], Value: labels[i+1]})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].Key < pairs[j].Key })
	key := fmt.Sprintf("%s %q %q", kind, name, pairs)
	entry := m.entries[key]
	if entry == nil {
		entry = &measured{kind: kind, name: name}
		if len(pairs) > 0 {
			entry.labels = pairs
		}
		m.entries[key] = entry
		m.order = append(m.order, entry)
		m.size++
	}
	return entry
}

// flush sends what there is.
func (m *Metrics) flush(call uint32) {
	m.mu.Lock()
	if m.timer == nil {
		m.mu.Unlock()
		return
	}
	m.timer.Stop()
	m.timer = nil
	order := m.order
	m.order, m.size = nil, 0
	m.entries = map[string]*measured{}
	m.mu.Unlock()
	list := make([]any, len(order))
	for i, entry := range order {
		var value any = entry.value
		if entry.kind == "observe" {
			value = entry.values
		}
		list[i] = []any{entry.kind, entry.name, entry.labels, value}
	}
	_ = m.server.tell(frame.Event, call, codec.Pairs{{Key: "name", Value: metricsEvent}, {Key: "data", Value: list}}, "event")
}

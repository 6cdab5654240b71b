package greeter

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the log: the newest calls, bytes over all of them, events of one call (beyond that only those of its end),
// and how long a reader may wait.
const (
	maxCalls   = 10_000
	maxBytes   = 64 << 20
	maxEvents  = 2_000
	maxWait    = time.Minute
	maxIDBytes = 200
)

// Observed keeps what the greeter saw of each call. Calls without an id share no log.
type Observed struct {
	mu          sync.Mutex
	logs        map[string]*callLog
	oldestFirst []string
	bytes       atomic.Int64
	open        atomic.Int64
}

// NewObserved is an empty one.
func NewObserved() *Observed {
	return &Observed{logs: make(map[string]*callLog)}
}

// log gives the log of one call, made if there is none: a reader may come before its call.
func (o *Observed) log(id string) *callLog {
	o.mu.Lock()
	defer o.mu.Unlock()
	if log, ok := o.logs[id]; ok {
		return log
	}
	for len(o.oldestFirst) > 0 && (len(o.logs) >= maxCalls || o.bytes.Load() > maxBytes) {
		oldest := o.logs[o.oldestFirst[0]]
		delete(o.logs, o.oldestFirst[0])
		o.oldestFirst = o.oldestFirst[1:]
		oldest.forget()
	}
	log := &callLog{changed: make(chan struct{}), total: &o.bytes}
	o.logs[id] = log
	o.oldestFirst = append(o.oldestFirst, id)
	return log
}

// callLog keeps the events of one call, as JSON.
type callLog struct {
	mu        sync.Mutex
	opened    time.Time
	events    []json.RawMessage
	bytes     int64
	forgotten bool
	changed   chan struct{} // closed and replaced at each event
	total     *atomic.Int64
}

type event struct {
	N      int     `json:"n"`
	At     float64 `json:"at"`
	What   string  `json:"what"`
	Detail any     `json:"detail"`
}

// record adds an event, unless there are limit of them already.
func (l *callLog) record(limit int, what string, detail any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) >= limit {
		return
	}
	if l.opened.IsZero() {
		l.opened = time.Now()
	}
	at := math.Round(float64(time.Since(l.opened).Nanoseconds())/1e3) / 1e3
	text, err := json.Marshal(event{len(l.events) + 1, at, what, detail})
	if err != nil {
		panic(err) // details are maps of strings and numbers
	}
	l.events = append(l.events, text)
	if !l.forgotten {
		l.bytes += int64(len(text))
		l.total.Add(int64(len(text)))
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *callLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgotten = true
	l.total.Add(-l.bytes)
}

// after gives the events after number n: at once if there are any, else when there is one, or none when wait has
// passed or the reader has left.
func (l *callLog) after(n int, wait time.Duration, left <-chan struct{}) []json.RawMessage {
	timer := time.NewTimer(min(wait, maxWait))
	defer timer.Stop()
	for {
		l.mu.Lock()
		events, changed := l.events, l.changed
		l.mu.Unlock()
		if n < len(events) {
			return events[n:]
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil
		case <-left:
			return nil
		}
	}
}

// ServeHTTP answers GET /observed/<call id>?after=N&wait=MS and GET /observed/stats.
func (o *Observed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	id, ok := strings.CutPrefix(r.URL.Path, "/observed/")
	if !ok || id == "" || len(id) > maxIDBytes {
		http.Error(w, "expected /observed/<call id> or /observed/stats", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if id == "stats" {
		fmt.Fprintf(w, `{"open":%d,"rss":%d}`, o.open.Load(), residentBytes())
		return
	}
	after, wait, err := asked(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	events := o.log(id).after(after, wait, r.Context().Done())
	if events == nil {
		events = []json.RawMessage{}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"events": events})
}

func asked(r *http.Request) (after int, wait time.Duration, err error) {
	number := func(name string) int {
		text := r.URL.Query().Get(name)
		if text == "" || err != nil {
			return 0
		}
		n, bad := strconv.ParseUint(text, 10, 31)
		if bad != nil {
			err = fmt.Errorf("%s: expected a whole number, got %q", name, text)
		}
		return int(n)
	}
	after = number("after")
	wait = time.Duration(number("wait")) * time.Millisecond
	return after, wait, err
}

// residentBytes says what this process holds in memory; 0 where the system does not say.
func residentBytes() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kilobytes * 1024
		}
	}
	return 0
}

package greeter

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The codes that the greeter itself gives.
const (
	codeCancelled        = 1
	codeInvalidArgument  = 3
	codeDeadlineExceeded = 4
)

// call is one call as the greeter sees it: counts, and every event written down exactly once.
type call struct {
	behaviour
	ctx      context.Context
	greeter  *Greeter
	log      *callLog // nil without x-call-id
	echoed   http.Header
	requests atomic.Uint64
	replies  atomic.Uint64

	mu        sync.Mutex
	cancelled bool
	late      bool
	ended     bool
}

// open enters the handler: it records `open`, and watches the context while the handler works or is blocked.
func (g *Greeter) open(ctx context.Context, method string, header http.Header) (*call, error) {
	asked, err := readBehaviour(header, g.MaxCode)
	if err != nil {
		return nil, g.Errors.New(codeInvalidArgument, err.Error())
	}
	c := &call{behaviour: asked, ctx: ctx, greeter: g, echoed: make(http.Header)}
	if id := header.Get("x-call-id"); len(id) > maxIDBytes {
		return nil, g.Errors.New(codeInvalidArgument, "x-call-id: at most 200 ASCII characters")
	} else if id != "" {
		c.log = g.Observed.log(id)
	}
	metadata := make(map[string][]string, len(header))
	for name, values := range header {
		name = strings.ToLower(name)
		metadata[name] = values
		if strings.HasPrefix(name, "echo-") {
			c.echoed[http.CanonicalHeaderKey(name)] = values
		}
	}
	var timeout any
	if sent := header.Get("grpc-timeout"); sent != "" {
		timeout = sent
	}
	g.Observed.open.Add(1)
	c.record("open", map[string]any{"method": method, "timeout": timeout, "metadata": metadata})
	context.AfterFunc(ctx, c.contextDone)
	return c, nil
}

// endsAfter says what to do after so many requests: fail (error), end (true) or go on.
func (c *call) endsAfter(requests uint64) (bool, error) {
	if requests >= c.failAfter {
		return true, c.greeter.Errors.Asked(c.failCode, AskedToFail)
	}
	return requests >= c.endAfter, nil
}

// message counts a request that was read.
func (c *call) message(name string) {
	count := c.requests.Add(1)
	if count <= 100 || count%1000 == 0 {
		c.recordIfRoom("message", map[string]any{"count": count, "name": first64(name)})
	}
}

// halfClose records that the requests ended cleanly. Some servers and bridges hand on a cut connection as a clean
// end, with the context cancelled: such an end is none, and comes back as what it is.
func (c *call) halfClose() error {
	if errors.Is(c.ctx.Err(), context.Canceled) {
		c.contextDone()
		return c.ctx.Err()
	}
	c.record("half-close", map[string]any{"count": c.requests.Load()})
	return nil
}

// reply counts a reply that was handed to the server's stack.
func (c *call) reply() {
	if count := c.replies.Add(1); count == 1 || count%1000 == 0 {
		c.recordIfRoom("reply", map[string]any{"count": count})
	}
}

// requestsFailed records why no more requests can be read.
func (c *call) requestsFailed(err error) {
	if c.greeter.Errors.Code(err) == codeDeadlineExceeded {
		c.contextDone()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel(err)
}

// stay waits for ever, which is until the context ends.
func (c *call) stay(forEver bool) error {
	if !forEver {
		return nil
	}
	<-c.ctx.Done()
	return c.ctx.Err()
}

// sleep waits, unless the context ends.
func (c *call) sleep(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// end records what the handler returned, and gives what goes to the framework: what the context says comes first,
// since some call every cut request "invalid_argument: incomplete envelope".
func (c *call) end(err error) error {
	if c.ctx.Err() != nil {
		c.contextDone()
		if err != nil {
			err = c.greeter.Errors.New(contextCode(c.ctx), c.ctx.Err().Error())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	code := uint32(0)
	if err != nil {
		code = c.greeter.Errors.Code(err)
	}
	c.ended = true
	c.record("end", map[string]any{"code": code, "count": c.requests.Load()})
	c.greeter.Observed.open.Add(-1)
	return err
}

// contextDone records how the context ended, if that was before the handler did.
func (c *call) contextDone() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
	case !errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		c.cancel(c.ctx.Err())
	case !c.late:
		c.late = true
		c.record("deadline", struct{}{})
	}
}

func (c *call) cancel(err error) {
	if !c.cancelled && err != nil {
		c.cancelled = true
		c.record("cancelled", map[string]any{"error": err.Error()})
	}
}

func (c *call) record(what string, detail any) {
	if c.log != nil {
		c.log.record(math.MaxInt, what, detail)
	}
}

func (c *call) recordIfRoom(what string, detail any) {
	if c.log != nil {
		c.log.record(maxEvents, what, detail)
	}
}

func contextCode(ctx context.Context) uint32 {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return codeDeadlineExceeded
	}
	return codeCancelled
}

func first64(name string) string {
	count := 0
	for i := range name {
		if count++; count > 64 {
			return name[:i]
		}
	}
	return name
}

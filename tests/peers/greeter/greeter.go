// Package greeter is the greeter of tests/README.md without a server: each framework gives it its calls.
package greeter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxJoinedBytes is the longest list of names that a client stream gets back.
const maxJoinedBytes = 1 << 20

// Greeter is greet.GreetService, behaving as the metadata of each call asks. Its streams block in Receive, as those
// of any documentation do.
type Greeter struct {
	Observed *Observed
	Errors   Errors
	MaxCode  uint32 // the largest x-fail-code
}

// Errors makes and reads the errors of a framework.
type Errors interface {
	// New ends a call with this code.
	New(code uint32, message string) error
	// Asked is the failure that the caller asked for, with its detail.
	Asked(code uint32, message string) error
	// Code is what the caller gets when a handler returns this error.
	Code(err error) uint32
}

// Answer takes response headers and trailers.
type Answer interface {
	AddHeaders(http.Header)
	AddTrailers(http.Header)
}

// Receiver gives the requests of a stream; io.EOF is the half-close.
type Receiver interface {
	Answer
	Receive() (name string, err error)
}

// Sender takes the replies of a stream.
type Sender interface {
	Answer
	Send(greeting string) error
}

// Duplex is both.
type Duplex interface {
	Receiver
	Sender
}

// Greet is unary.
func (g *Greeter) Greet(ctx context.Context, header http.Header, to Answer, name string) (reply string, err error) {
	err = g.handle(ctx, "Greet", header, to, func(c *call) error {
		if _, err := c.endsAfter(0); err != nil {
			return err
		}
		c.message(name)
		if err := c.sleep(c.delay); err != nil {
			return err
		}
		if _, err := c.endsAfter(c.requests.Load()); err != nil {
			return err
		}
		if err := c.stay(c.neverEnd || c.stall); err != nil {
			return err
		}
		c.reply()
		reply = hello(name)
		return nil
	})
	return reply, err
}

// GreetStream is the bidi stream.
func (g *Greeter) GreetStream(ctx context.Context, header http.Header, stream Duplex) error {
	return g.handle(ctx, "GreetStream", header, stream, func(c *call) error {
		if c.greetFirst {
			if err := c.send(stream, "Welcome"); err != nil {
				return err
			}
		}
		if err := c.stay(c.stall); err != nil {
			return err
		}
		answer := func(name string) error { return c.send(stream, hello(name)) }
		if closed, err := c.read(stream, answer); err != nil || !closed {
			return err
		}
		for n := uint64(1); n <= c.afterClose; n++ {
			if err := c.send(stream, fmt.Sprint("Goodbye ", n)); err != nil {
				return err
			}
		}
		return c.stay(c.neverEnd)
	})
}

// GreetClientStream answers once.
func (g *Greeter) GreetClientStream(ctx context.Context, header http.Header, stream Receiver) (string, error) {
	var names strings.Builder
	err := g.handle(ctx, "GreetClientStream", header, stream, func(c *call) error {
		if err := c.stay(c.stall); err != nil {
			return err
		}
		note := func(name string) error {
			join(&names, name)
			return nil
		}
		if _, err := c.read(stream, note); err != nil {
			return err
		}
		if err := c.stay(c.neverEnd); err != nil {
			return err
		}
		c.reply()
		return nil
	})
	return hello(names.String()), err
}

// GreetServerStream answers often.
func (g *Greeter) GreetServerStream(ctx context.Context, header http.Header, name string, stream Sender) error {
	return g.handle(ctx, "GreetServerStream", header, stream, func(c *call) error {
		if _, err := c.endsAfter(0); err != nil {
			return err
		}
		c.message(name)
		if err := c.stay(c.stall); err != nil {
			return err
		}
		for n := uint64(1); n <= c.count; n++ {
			greeting := fmt.Sprintf("%s %d", hello(name), n)
			if padding := c.size - len(greeting); padding > 0 {
				greeting += strings.Repeat(".", padding)
			}
			if err := c.send(stream, greeting); err != nil {
				return err
			}
		}
		if _, err := c.endsAfter(c.requests.Load()); err != nil {
			return err
		}
		return c.stay(c.neverEnd)
	})
}

// handle does what all four kinds have in common: the log, the echoed headers, and the trailers.
func (g *Greeter) handle(ctx context.Context, method string, header http.Header, to Answer, work func(*call) error) error {
	c, err := g.open(ctx, method, header)
	if err != nil {
		return err
	}
	to.AddHeaders(c.echoed)
	err = c.end(work(c))
	to.AddTrailers(c.echoed)
	to.AddTrailers(http.Header{"Greeted": {strconv.FormatUint(c.requests.Load(), 10)}})
	return err
}

// read takes requests until the half-close (true), or until as many have come as end the call.
func (c *call) read(stream Receiver, each func(name string) error) (closed bool, err error) {
	done, err := c.endsAfter(0)
	for !done && err == nil {
		name, failed := stream.Receive()
		if errors.Is(failed, io.EOF) {
			return true, c.halfClose()
		}
		if failed != nil {
			c.requestsFailed(failed)
			return false, failed
		}
		c.message(name)
		if err := each(name); err != nil {
			return false, err
		}
		done, err = c.endsAfter(c.requests.Load())
	}
	return false, err
}

func (c *call) send(stream Sender, greeting string) error {
	if err := stream.Send(greeting); err != nil {
		c.requestsFailed(err)
		return err
	}
	c.reply()
	return nil
}

func hello(name string) string { return "Hello, " + name }

// join appends to `<name>, <name>, …`, up to maxJoinedBytes: a client may stream names for ever.
func join(names *strings.Builder, name string) {
	if names.Len() > maxJoinedBytes {
		return
	}
	if names.Len() > 0 {
		names.WriteString(", ")
	}
	if names.Len()+len(name) > maxJoinedBytes {
		name = "…" + strings.Repeat(" ", maxJoinedBytes)
	}
	names.WriteString(name)
}

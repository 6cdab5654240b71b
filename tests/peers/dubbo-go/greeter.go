package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	triple "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

	"github.com/tidewire/tidewire/tests/peers/dubbo-go/greet"
)

// maxJoinedBytes is the longest list of names that a client stream gets back.
const maxJoinedBytes = 1 << 20

// Greeter is greet.GreetService, behaving as its metadata asks. Its streams block in Receive, as those in dubbo-go's
// documentation do: nothing but the client's reset frees them.
type Greeter struct {
	observed *observed
}

// Greet is unary.
func (g *Greeter) Greet(ctx context.Context, request *greet.GreetRequest) (*triple.Response, error) {
	header, _ := triple.FromIncomingContext(ctx)
	header = canonical(header)
	reply := new(greet.GreetResponse)
	response := triple.NewResponse(reply)
	err := g.handle(ctx, "Greet", header, unaryAnswer{ctx, response}, func(c *call) error {
		if _, err := c.endsAfter(0); err != nil {
			return err
		}
		c.message(request.GetName())
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
		reply.Greeting = hello(request.GetName()).Greeting
		return nil
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

// GreetStream is the bidi stream.
func (g *Greeter) GreetStream(ctx context.Context, stream *triple.BidiStream) error {
	return g.handle(ctx, "GreetStream", stream.RequestHeader(), streamAnswer{stream.Conn()}, func(c *call) error {
		if c.greetFirst {
			if err := send(c, stream, "Welcome"); err != nil {
				return err
			}
		}
		if err := c.stay(c.stall); err != nil {
			return err
		}
		done, err := c.endsAfter(0)
		for !done && err == nil {
			var request greet.GreetRequest
			if err := stream.Receive(&request); errors.Is(err, io.EOF) {
				c.halfClose()
				return sayGoodbye(c, stream)
			} else if err != nil {
				c.requestsFailed(err)
				return err
			}
			c.message(request.GetName())
			if err := send(c, stream, hello(request.GetName()).Greeting); err != nil {
				return err
			}
			done, err = c.endsAfter(c.requests.Load())
		}
		return err
	})
}

func sayGoodbye(c *call, stream *triple.BidiStream) error {
	for n := uint64(1); n <= c.afterClose; n++ {
		if err := send(c, stream, fmt.Sprint("Goodbye ", n)); err != nil {
			return err
		}
	}
	return c.stay(c.neverEnd)
}

// GreetClientStream answers once.
func (g *Greeter) GreetClientStream(ctx context.Context, stream *triple.ClientStream) (*greet.GreetResponse, error) {
	var names strings.Builder
	err := g.handle(ctx, "GreetClientStream", stream.RequestHeader(), streamAnswer{stream.Conn()}, func(c *call) error {
		if err := c.stay(c.stall); err != nil {
			return err
		}
		done, err := c.endsAfter(0)
		for !done && err == nil {
			request := new(greet.GreetRequest)
			if !stream.Receive(request) {
				if err := stream.Err(); err != nil {
					c.requestsFailed(err)
					return err
				}
				c.halfClose()
				break
			}
			c.message(request.GetName())
			join(&names, request.GetName())
			done, err = c.endsAfter(c.requests.Load())
		}
		if err != nil {
			return err
		}
		if err := c.stay(c.neverEnd); err != nil {
			return err
		}
		c.reply()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return hello(names.String()), nil
}

// GreetServerStream answers often.
func (g *Greeter) GreetServerStream(ctx context.Context, request *greet.GreetRequest, stream *triple.ServerStream) error {
	conn := stream.Conn()
	return g.handle(ctx, "GreetServerStream", conn.RequestHeader(), streamAnswer{conn}, func(c *call) error {
		if _, err := c.endsAfter(0); err != nil {
			return err
		}
		c.message(request.GetName())
		if err := c.stay(c.stall); err != nil {
			return err
		}
		for n := uint64(1); n <= c.count; n++ {
			greeting := fmt.Sprintf("Hello, %s %d", request.GetName(), n)
			if padding := c.size - len(greeting); padding > 0 {
				greeting += strings.Repeat(".", padding)
			}
			if err := send(c, stream, greeting); err != nil {
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
func (g *Greeter) handle(ctx context.Context, method string, header http.Header, to answer, work func(*call) error) error {
	c, err := g.observed.openCall(ctx, method, header)
	if err != nil {
		return err
	}
	to.headers(c.echoed)
	err = c.end(work(c))
	to.trailers(c.echoed)
	to.trailers(http.Header{"Greeted": {strconv.FormatUint(c.requests.Load(), 10)}})
	return err
}

// answer takes response headers and trailers: each kind of call has its own way to them.
type answer interface {
	headers(http.Header)
	trailers(http.Header)
}

// unaryAnswer takes them in the way of the version.
type unaryAnswer struct {
	ctx      context.Context
	response *triple.Response
}

type streamAnswer struct {
	conn triple.StreamingHandlerConn
}

func (a streamAnswer) headers(add http.Header)  { merge(a.conn.ResponseHeader(), add) }
func (a streamAnswer) trailers(add http.Header) { merge(a.conn.ResponseTrailer(), add) }

// canonical is for versions before v3.3.2, which give the names in lower case, where http.Header does not find them.
func canonical(header http.Header) http.Header {
	found := make(http.Header, len(header))
	for name, values := range header {
		found[http.CanonicalHeaderKey(name)] = values
	}
	return found
}

func merge(into, add http.Header) {
	for name, values := range add {
		into[name] = append(into[name], values...)
	}
}

func send(c *call, stream interface{ Send(any) error }, greeting string) error {
	if err := stream.Send(&greet.GreetResponse{Greeting: greeting}); err != nil {
		c.requestsFailed(err)
		return err
	}
	c.reply()
	return nil
}

func hello(name string) *greet.GreetResponse {
	return &greet.GreetResponse{Greeting: "Hello, " + name}
}

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

package main

import (
	"context"
	"errors"
	"io"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/tidewire/tidewire/tests/peers/greeter"
	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// maxMessageBytes is the largest request taken.
const maxMessageBytes = greeter.MaxMessageBytes + 1<<20

type service struct{ greeter *greeter.Greeter }

// handler is what protoc-gen-connect-go would write for greet.proto.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	limit := connect.WithReadMaxBytes(maxMessageBytes)
	// Only what has no effect may be called by GET: that is for the caller to know, and Greet has none.
	safe := connect.WithIdempotency(connect.IdempotencyNoSideEffects)
	add := func(method string, handler func(procedure string) *connect.Handler) {
		procedure := "/greet.GreetService/" + method
		mux.Handle(procedure, handler(procedure))
	}
	add("Greet", func(p string) *connect.Handler { return connect.NewUnaryHandler(p, s.greet, limit, safe) })
	add("GreetStream", func(p string) *connect.Handler { return connect.NewBidiStreamHandler(p, s.greetStream, limit) })
	add("GreetClientStream", func(p string) *connect.Handler { return connect.NewClientStreamHandler(p, s.greetClientStream, limit) })
	add("GreetServerStream", func(p string) *connect.Handler { return connect.NewServerStreamHandler(p, s.greetServerStream, limit) })
	return mux
}

func (s *service) greet(ctx context.Context, request *connect.Request[greet.GreetRequest]) (*connect.Response[greet.GreetResponse], error) {
	response := connect.NewResponse(new(greet.GreetResponse))
	to := answer{response.Header(), response.Trailer(), nil}
	reply, err := s.greeter.Greet(ctx, request.Header(), to, request.Msg.GetName())
	response.Msg.Greeting = reply
	return response, to.metadataOf(err)
}

func (s *service) greetStream(ctx context.Context, conn *connect.BidiStream[greet.GreetRequest, greet.GreetResponse]) error {
	flush := func() error { return conn.Send(nil) }
	return s.greeter.GreetStream(ctx, conn.RequestHeader(), stream{
		answer{conn.ResponseHeader(), conn.ResponseTrailer(), flush}, conn.Receive, conn.Send,
	})
}

func (s *service) greetClientStream(ctx context.Context, conn *connect.ClientStream[greet.GreetRequest]) (*connect.Response[greet.GreetResponse], error) {
	response := connect.NewResponse(new(greet.GreetResponse))
	to := answer{response.Header(), response.Trailer(), nil}
	receive := func() (*greet.GreetRequest, error) {
		if conn.Receive() {
			return conn.Msg(), nil
		}
		if err := conn.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	reply, err := s.greeter.GreetClientStream(ctx, conn.RequestHeader(), stream{to, receive, nil})
	response.Msg.Greeting = reply
	return response, to.metadataOf(err)
}

func (s *service) greetServerStream(ctx context.Context, request *connect.Request[greet.GreetRequest], conn *connect.ServerStream[greet.GreetResponse]) error {
	flush := func() error { return conn.Send(nil) }
	return s.greeter.GreetServerStream(ctx, request.Header(), request.Msg.GetName(), stream{
		answer{conn.ResponseHeader(), conn.ResponseTrailer(), flush}, nil, conn.Send,
	})
}

// answer takes response headers and trailers; flush sends the headers, where they may go out before a reply.
type answer struct {
	header, trailer http.Header
	flush           func() error
}

func (a answer) AddHeaders(add http.Header) {
	merge(a.header, add)
	if a.flush != nil {
		_ = a.flush()
	}
}

func (a answer) AddTrailers(add http.Header) { merge(a.trailer, add) }

// metadataOf puts them into an error as well: a failed call has no response to carry them.
func (a answer) metadataOf(err error) error {
	if failure := new(connect.Error); errors.As(err, &failure) {
		merge(failure.Meta(), a.header)
		merge(failure.Meta(), a.trailer)
	}
	return err
}

func merge(into, add http.Header) {
	for name, values := range add {
		into[name] = append(into[name], values...)
	}
}

// stream is a call of any kind; what a kind lacks is nil.
type stream struct {
	answer
	receive func() (*greet.GreetRequest, error)
	send    func(*greet.GreetResponse) error
}

func (s stream) Receive() (string, error) {
	request, err := s.receive()
	return request.GetName(), err
}

func (s stream) Send(greeting string) error {
	return s.send(&greet.GreetResponse{Greeting: greeting})
}

// connectErrors are connect-go's.
type connectErrors struct{}

func (connectErrors) New(code uint32, message string) error {
	return connect.NewError(connect.Code(code), errors.New(message))
}

func (connectErrors) Asked(code uint32, message string) error {
	failure := connect.NewError(connect.Code(code), errors.New(message))
	if detail, err := connect.NewErrorDetail(&errdetails.ErrorInfo{Reason: "ASKED_TO_FAIL"}); err == nil {
		failure.AddDetail(detail)
	}
	return failure
}

func (connectErrors) Code(err error) uint32 { return uint32(connect.CodeOf(err)) }

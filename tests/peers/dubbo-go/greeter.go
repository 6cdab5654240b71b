package main

import (
	"context"
	"errors"
	"io"
	"net/http"

	triple "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/tidewire/tidewire/tests/peers/greeter"
	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// Greeter is greet.GreetService. Its streams block in Receive, as those in dubbo-go's documentation do: nothing but
// the client's reset frees them.
type Greeter struct{ calls *greeter.Greeter }

func newGreeter(seen *greeter.Observed) *Greeter {
	return &Greeter{&greeter.Greeter{Observed: seen, Errors: tripleErrors{}, MaxCode: plainError}}
}

// Greet is unary.
func (g *Greeter) Greet(ctx context.Context, request *greet.GreetRequest) (*triple.Response, error) {
	header, _ := triple.FromIncomingContext(ctx)
	reply := new(greet.GreetResponse)
	response := triple.NewResponse(reply)
	greeting, err := g.calls.Greet(ctx, canonical(header), unaryAnswer{ctx, response}, request.GetName())
	if err != nil {
		return nil, err
	}
	reply.Greeting = greeting
	return response, nil
}

// GreetStream is the bidi stream.
func (g *Greeter) GreetStream(ctx context.Context, s *triple.BidiStream) error {
	call := tripleStream{s.Conn(), s.Receive, s.Send}
	return g.calls.GreetStream(ctx, s.RequestHeader(), call)
}

// GreetClientStream answers once.
func (g *Greeter) GreetClientStream(ctx context.Context, s *triple.ClientStream) (*greet.GreetResponse, error) {
	receive := func(request any) error {
		if s.Receive(request) {
			return nil
		}
		if err := s.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	reply, err := g.calls.GreetClientStream(ctx, s.RequestHeader(), tripleStream{s.Conn(), receive, nil})
	if err != nil {
		return nil, err
	}
	return &greet.GreetResponse{Greeting: reply}, nil
}

// GreetServerStream answers often.
func (g *Greeter) GreetServerStream(ctx context.Context, request *greet.GreetRequest, s *triple.ServerStream) error {
	call := tripleStream{s.Conn(), nil, s.Send}
	return g.calls.GreetServerStream(ctx, s.Conn().RequestHeader(), request.GetName(), call)
}

// unaryAnswer takes headers and trailers in the way of the version.
type unaryAnswer struct {
	ctx      context.Context
	response *triple.Response
}

// tripleStream is a call of any kind; what a kind lacks is nil.
type tripleStream struct {
	conn    triple.StreamingHandlerConn
	receive func(any) error
	send    func(any) error
}

func (s tripleStream) AddHeaders(add http.Header)  { merge(s.conn.ResponseHeader(), add) }
func (s tripleStream) AddTrailers(add http.Header) { merge(s.conn.ResponseTrailer(), add) }

func (s tripleStream) Receive() (string, error) {
	var request greet.GreetRequest
	err := s.receive(&request)
	return request.GetName(), err
}

func (s tripleStream) Send(greeting string) error {
	return s.send(&greet.GreetResponse{Greeting: greeting})
}

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

// plainError as x-fail-code asks for a plain Go error, not for a code: see codeOfPlainError for what comes of it.
const plainError = 17

// tripleErrors are dubbo-go's.
type tripleErrors struct{}

func (tripleErrors) New(code uint32, message string) error {
	return triple.NewError(triple.Code(code), errors.New(message))
}

// Asked has a detail that newer versions drop: see README.md.
func (tripleErrors) Asked(code uint32, message string) error {
	if code == plainError {
		return errors.New(message)
	}
	failure := triple.NewError(triple.Code(code), errors.New(message))
	if detail, err := triple.NewErrorDetail(wrapperspb.String("ASKED_TO_FAIL")); err == nil {
		failure.AddDetail(detail)
	}
	return failure
}

func (tripleErrors) Code(err error) uint32 {
	if wire := new(triple.Error); errors.As(err, &wire) {
		return uint32(wire.Code())
	}
	return uint32(codeOfPlainError)
}

package main

import (
	"context"
	"errors"
	"io"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
	triple "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
	"dubbo.apache.org/dubbo-go/v3/server"

	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// Greeter has a unary and a bidi method of greet.GreetService.
type Greeter struct{}

// Greet greets once.
func (Greeter) Greet(_ context.Context, request *greet.GreetRequest) (*greet.GreetResponse, error) {
	return &greet.GreetResponse{Greeting: "Hello, " + request.GetName()}, nil
}

// GreetStream greets each name as it comes, and says goodbye after the client's half-close.
func (Greeter) GreetStream(_ context.Context, stream *triple.BidiStream) error {
	for {
		var request greet.GreetRequest
		err := stream.Receive(&request)
		if errors.Is(err, io.EOF) {
			return stream.Send(&greet.GreetResponse{Greeting: "Goodbye"})
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&greet.GreetResponse{Greeting: "Hello, " + request.GetName()}); err != nil {
			return err
		}
	}
}

// greetService is what protoc-gen-go-triple writes for greet.proto.
var greetService = server.ServiceInfo{
	InterfaceName: "greet.GreetService",
	ServiceType:   (*Greeter)(nil),
	Methods: []server.MethodInfo{
		{
			Name:        "Greet",
			Type:        constant.CallUnary,
			ReqInitFunc: func() any { return new(greet.GreetRequest) },
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				response, err := handler.(*Greeter).Greet(ctx, args[0].(*greet.GreetRequest))
				if err != nil {
					return nil, err
				}
				return triple.NewResponse(response), nil
			},
		},
		{
			Name:           "GreetStream",
			Type:           constant.CallBidiStream,
			StreamInitFunc: func(stream any) any { return stream },
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				return nil, handler.(*Greeter).GreetStream(ctx, args[0].(*triple.BidiStream))
			},
		},
	},
}

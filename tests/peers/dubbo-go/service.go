package main

import (
	"context"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
	triple "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
	"dubbo.apache.org/dubbo-go/v3/server"

	"google.golang.org/protobuf/types/known/sourcecontextpb"

	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// greetService is what protoc-gen-go-triple would write for greet.proto, and Echo, whose message has a field of two
// words.
var greetService = server.ServiceInfo{
	InterfaceName: "greet.GreetService",
	ServiceType:   (*Greeter)(nil),
	Methods: []server.MethodInfo{
		{
			Name:        "Greet",
			Type:        constant.CallUnary,
			ReqInitFunc: newRequest,
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				response, err := handler.(*Greeter).Greet(ctx, args[0].(*greet.GreetRequest))
				if err != nil {
					return nil, err // not a nil *triple.Response
				}
				return response, nil
			},
		},
		{
			Name:        "Echo",
			Type:        constant.CallUnary,
			ReqInitFunc: func() any { return new(sourcecontextpb.SourceContext) },
			MethodFunc: func(_ context.Context, args []any, _ any) (any, error) {
				return triple.NewResponse(args[0].(*sourcecontextpb.SourceContext)), nil
			},
		},
		{
			Name:           "GreetStream",
			Type:           constant.CallBidiStream,
			StreamInitFunc: sameStream,
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				return nil, handler.(*Greeter).GreetStream(ctx, args[0].(*triple.BidiStream))
			},
		},
		{
			Name:           "GreetClientStream",
			Type:           constant.CallClientStream,
			StreamInitFunc: sameStream,
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				response, err := handler.(*Greeter).GreetClientStream(ctx, args[0].(*triple.ClientStream))
				if err != nil {
					return nil, err
				}
				return triple.NewResponse(response), nil
			},
		},
		{
			Name:           "GreetServerStream",
			Type:           constant.CallServerStream,
			ReqInitFunc:    newRequest,
			StreamInitFunc: sameStream,
			MethodFunc: func(ctx context.Context, args []any, handler any) (any, error) {
				stream := args[1].(*triple.ServerStream)
				return nil, handler.(*Greeter).GreetServerStream(ctx, args[0].(*greet.GreetRequest), stream)
			},
		},
	},
}

func newRequest() any { return new(greet.GreetRequest) }

func sameStream(stream any) any { return stream }

package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tidewire/tidewire/tests/peers/greeter"
	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// service is what protoc-gen-go-grpc would write for greet.proto.
var service = grpc.ServiceDesc{
	ServiceName: "greet.GreetService",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Greet", Handler: greetOnce}},
	Streams: []grpc.StreamDesc{
		{StreamName: "GreetStream", Handler: greetStream, ServerStreams: true, ClientStreams: true},
		{StreamName: "GreetClientStream", Handler: greetClientStream, ClientStreams: true},
		{StreamName: "GreetServerStream", Handler: greetServerStream, ServerStreams: true},
	},
	Metadata: "greet.proto",
}

func greetOnce(server any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var request greet.GreetRequest
	if err := decode(&request); err != nil {
		return nil, err
	}
	reply, err := server.(*greeter.Greeter).Greet(ctx, header(ctx), unary{ctx}, request.GetName())
	return &greet.GreetResponse{Greeting: reply}, err
}

func greetStream(server any, s grpc.ServerStream) error {
	return server.(*greeter.Greeter).GreetStream(s.Context(), header(s.Context()), stream{s})
}

func greetClientStream(server any, s grpc.ServerStream) error {
	reply, err := server.(*greeter.Greeter).GreetClientStream(s.Context(), header(s.Context()), upload{stream{s}})
	if err != nil {
		return err
	}
	return stream{s}.Send(reply)
}

func greetServerStream(server any, s grpc.ServerStream) error {
	name, err := stream{s}.Receive()
	if err != nil {
		return err
	}
	return server.(*greeter.Greeter).GreetServerStream(s.Context(), header(s.Context()), name, stream{s})
}

type unary struct{ ctx context.Context }

func (u unary) AddHeaders(add http.Header)  { _ = grpc.SetHeader(u.ctx, asMetadata(add)) }
func (u unary) AddTrailers(add http.Header) { _ = grpc.SetTrailer(u.ctx, asMetadata(add)) }

type stream struct{ grpc.ServerStream }

// upload has one reply, and sends its headers with that.
type upload struct{ stream }

func (u upload) AddHeaders(add http.Header) { _ = u.SetHeader(asMetadata(add)) }

func (s stream) AddHeaders(add http.Header)  { _ = s.SendHeader(asMetadata(add)) }
func (s stream) AddTrailers(add http.Header) { s.SetTrailer(asMetadata(add)) }

func (s stream) Receive() (string, error) {
	var request greet.GreetRequest
	err := s.RecvMsg(&request)
	return request.GetName(), err
}

func (s stream) Send(greeting string) error {
	return s.SendMsg(&greet.GreetResponse{Greeting: greeting})
}

// statusErrors are grpc-go's.
type statusErrors struct{}

func (statusErrors) New(code uint32, message string) error {
	return status.Error(codes.Code(code), message)
}

func (statusErrors) Asked(code uint32, message string) error {
	failure := status.New(codes.Code(code), message)
	if detailed, err := failure.WithDetails(&errdetails.ErrorInfo{Reason: "ASKED_TO_FAIL"}); err == nil {
		failure = detailed
	}
	return failure.Err()
}

func (statusErrors) Code(err error) uint32 { return uint32(status.Code(err)) }

// header is the metadata of the call as it was on the wire: grpc-go hands on -bin values decoded, and grpc-timeout
// not at all.
func header(ctx context.Context) http.Header {
	header := make(http.Header)
	incoming, _ := metadata.FromIncomingContext(ctx)
	for name, values := range incoming {
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			header.Add(name, value)
		}
	}
	return header
}

// asMetadata is the way back.
func asMetadata(header http.Header) metadata.MD {
	outgoing := make(metadata.MD)
	for name, values := range header {
		for _, value := range values {
			if strings.HasSuffix(strings.ToLower(name), "-bin") {
				bytes, err := base64.StdEncoding.DecodeString(value)
				if err != nil {
					continue
				}
				value = string(bytes)
			}
			outgoing.Append(name, value)
		}
	}
	return outgoing
}

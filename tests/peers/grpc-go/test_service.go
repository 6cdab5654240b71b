package main

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // for whoever sends it
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/interop/grpc_testing"

	"github.com/tidewire/tidewire/tests/peers/greeter"
)

// testService is the server of gRPC's own interop tests as grpc-go has it. What it sees is written down around it.
type testService struct{ *greeter.Greeter }

func (t testService) register(server *grpc.Server) {
	grpc_testing.RegisterTestServiceServer(server, interop.NewTestServer())
}

func (t testService) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	call, err := t.Watch(ctx, method(info.FullMethod), header(ctx))
	if err != nil {
		return nil, err
	}
	reply, err := handler(ctx, request)
	return reply, call.End(err)
}

// stream is around the greeter's streams as well, which watch themselves.
func (t testService) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if _, own := server.(*greeter.Greeter); own {
		return handler(server, s)
	}
	call, err := t.Watch(s.Context(), method(info.FullMethod), header(s.Context()))
	if err != nil {
		return err
	}
	return call.End(handler(server, watchedStream{s, call}))
}

type watchedStream struct {
	grpc.ServerStream
	call greeter.Watched
}

func (s watchedStream) RecvMsg(into any) error {
	return s.call.Received(s.ServerStream.RecvMsg(into))
}

func (s watchedStream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	if err == nil {
		s.call.Sent()
	}
	return err
}

func method(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

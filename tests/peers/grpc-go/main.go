// The greeter of tests/README.md and gRPC's own test service on grpc-go, and the same server behind improbable's wrapper
// in the same process.
package main

import (
	"net"
	"net/http"

	"github.com/improbable-eng/grpc-web/go/grpcweb"
	"google.golang.org/grpc"

	"github.com/tidewire/tidewire/tests/peers/greeter"
)

const maxMessageBytes = greeter.MaxMessageBytes + 1<<20

func main() {
	greeter.Main(start)
}

// start serves gRPC on the listener, and the wrapper on one of its own.
func start(listener net.Listener, seen *greeter.Observed) (more string, err error) {
	greets := &greeter.Greeter{Observed: seen, Errors: statusErrors{}, MaxCode: 16}
	tests := testService{greets}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxHeaderListSize(128<<10),
		grpc.UnaryInterceptor(tests.unary), grpc.StreamInterceptor(tests.stream))
	server.RegisterService(&service, greets)
	tests.register(server)
	go func() { _ = server.Serve(listener) }()

	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	any := func(string) bool { return true }
	wrapped := grpcweb.WrapServer(server,
		grpcweb.WithOriginFunc(any),
		grpcweb.WithWebsockets(true),
		grpcweb.WithWebsocketOriginFunc(func(*http.Request) bool { return true }),
	)
	go func() { _ = http.Serve(web, wrapped) }()
	return " wrapper " + web.Addr().String(), nil
}

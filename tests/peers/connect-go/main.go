// The greeter of tests/README.md on connect-go, which speaks Connect, gRPC and gRPC-Web on one port.
package main

import (
	"net"
	"net/http"

	"github.com/rs/cors"

	"github.com/tidewire/tidewire/tests/peers/greeter"
)

func main() {
	greeter.Main(start)
}

// start serves HTTP/1.1 and HTTP/2 on the listener, and the same with TLS on one of its own.
func start(listener net.Listener, seen *greeter.Observed) (more string, err error) {
	service := &service{&greeter.Greeter{Observed: seen, Errors: connectErrors{}, MaxCode: 16}}
	open := cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"*"},
	})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: open.Handler(service.handler()), Protocols: protocols, TLSConfig: greeter.SelfSigned()}
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = server.Serve(listener) }()
	go func() { _ = server.ServeTLS(secure, "", "") }()
	return " tls " + secure.Addr().String(), nil
}

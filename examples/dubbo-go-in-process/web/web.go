// Package web lets browsers call a dubbo-go server on the server's own port: gRPC-Web and grpc-websockets, by
// improbable's wrapper, as a handler for server.AttachHTTPHandler.
package web

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/improbable-eng/grpc-web/go/grpcweb"
)

// Handler answers what browsers send below a prefix: /web/greet.GreetService/Greet is the Greet of Triple. Without
// one it would never be asked, since dubbo-go takes the paths of its methods for itself whatever they carry. address
// is where the server listens.
func Handler(address string, allow func(origin string) bool) http.Handler {
	wrapped := grpcweb.WrapHandler(triple(address),
		grpcweb.WithAllowNonRootResource(true), // strips the prefix
		grpcweb.WithCorsForRegisteredEndpointsOnly(false),
		grpcweb.WithOriginFunc(allow),
		grpcweb.WithWebsockets(true),
		grpcweb.WithWebsocketOriginFunc(func(r *http.Request) bool { return allow(r.Header.Get("Origin")) }),
		grpcweb.WithWebsocketsMessageReadLimit(1<<20),
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ours := wrapped.IsGrpcWebRequest(r) || wrapped.IsGrpcWebSocketRequest(r) || wrapped.IsAcceptableGrpcCorsRequest(r)
		if !ours {
			// The wrapper would hand it to Triple, which would hand it back.
			http.NotFound(w, r)
			return
		}
		if !wrapped.IsGrpcWebSocketRequest(r) {
			// Over HTTP/1.1, net/http reads the whole request before it lets the response begin, unless told; and
			// to close a body that is being read waits for the client.
			_ = http.NewResponseController(w).EnableFullDuplex()
			r.Body = io.NopCloser(r.Body)
		}
		wrapped.ServeHTTP(w, r)
	})
}

// triple calls the server over HTTP/2 on loopback, since dubbo-go gives nobody its own handler. Not by
// httputil.ReverseProxy: that waits for the requests to end, even when the server has ended the call.
func triple(address string) http.Handler {
	http2 := new(http.Protocols)
	http2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: http2}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer r.Body.Close() // on a WebSocket this sends the trailers, so it comes last
		call, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+address+r.URL.Path, relayed(r))
		if err != nil {
			end(w, "", err)
			return
		}
		call.Header = r.Header
		call.Header.Del("Connection")
		answer, err := transport.RoundTrip(call)
		if err != nil {
			end(w, "", err)
			return
		}
		defer answer.Body.Close()
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/grpc") {
			end(w, "", notGRPC(answer.StatusCode))
			return
		}
		maps.Copy(w.Header(), answer.Header)
		if _, err := io.Copy(flushing{w}, answer.Body); err != nil {
			end(w, http.TrailerPrefix, err)
		}
		for name, values := range answer.Trailer {
			w.Header()[http.TrailerPrefix+name] = values
		}
	})
}

// relayed is a body that can be closed without closing the socket: HTTP/2 closes it at the half-close, when replies
// may still come, and to stop a read when the server ends first. The wrapper shows a lost client as the end of the
// requests, which would reach the server as a half-close; its context was cancelled before.
func relayed(r *http.Request) io.ReadCloser {
	requests, client := r.Body, r.Context()
	reader, writer := io.Pipe()
	go func() {
		_, err := io.Copy(writer, requests)
		if err == nil {
			err = client.Err()
		}
		_ = writer.CloseWithError(err)
	}()
	return reader
}

// flushing lets each reply out as it comes.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

// end says in gRPC's words why there is no answer, or no more of it: a WebSocket has no HTTP status. prefix is that of
// trailers once the headers are gone.
func end(w http.ResponseWriter, prefix string, err error) {
	code := "14" // UNAVAILABLE
	if status := notGRPC(0); errors.As(err, &status) {
		code = "2" // UNKNOWN
		if status == http.StatusNotFound {
			code = "12" // UNIMPLEMENTED
		}
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set(prefix+"Grpc-Status", code)
	w.Header().Set(prefix+"Grpc-Message", err.Error())
}

// notGRPC is an HTTP status without one of gRPC.
type notGRPC int

func (status notGRPC) Error() string {
	return fmt.Sprintf("the Triple server answered HTTP %d instead of gRPC", int(status))
}

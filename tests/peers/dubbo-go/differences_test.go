package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// What README.md says that dubbo-go does otherwise than the contract: if one of these fails, the table is out of date.

func TestHeadersComeOnlyWithTheFirstReply(t *testing.T) {
	talk := with(t).deadline(200 * time.Millisecond).open("GreetStream")
	if headers, err := talk.Header(); err == nil && headers != nil {
		t.Fatal("headers came before any reply", headers)
	}
}

func TestAFailureAtOnceIsHeadersAndTrailers(t *testing.T) {
	talk := with(t, "x-fail-after", "0").open("GreetStream")
	// grpc-go gives the headers of a trailers-only answer as trailers.
	if headers, err := talk.Header(); err != nil || headers.Get("grpc-accept-encoding") == nil {
		t.Fatal("a trailers-only answer", headers, err)
	}
}

func TestAnOKHasAnEmptyMessage(t *testing.T) {
	call := openBare(t, "Greet")
	call.send("Ada")
	call.halfClose()
	call.readToEnd()
	if message := call.response.Trailer["Grpc-Message"]; !slices.Equal(message, []string{""}) {
		t.Fatal(message)
	}
}

func TestADeadlineDoesNotFreeAHandlerThatReceives(t *testing.T) {
	seen := with(t)
	call := openBare(t, "GreetStream", "x-call-id", seen.id, "grpc-timeout", "50m")
	call.send("Ada")
	seen.sawUntil("deadline")
	// The client is bare and keeps no time, so only half-close lets the handler go: if the deadline did, there
	// would be no `half-close`.
	call.halfClose()
	seen.saw("open message reply deadline half-close end")
}

func TestAMissingMethodIsHTTP404WithoutGRPCStatus(t *testing.T) {
	call := openBare(t, "Nothing")
	call.halfClose()
	call.readToEnd()
	if call.response.StatusCode != http.StatusNotFound || call.response.Trailer.Get("Grpc-Status") != "" {
		t.Fatal(call.response.Status, call.response.Trailer)
	}
}

func TestAMessageAboveTheLimitIsRefused(t *testing.T) {
	large := string(make([]byte, 66<<20))
	_, err := with(t).unary(large, grpc.MaxCallSendMsgSize(80<<20))
	if status.Code(err) != codes.ResourceExhausted {
		t.Fatal(err)
	}
}

func TestARouteIgnoresTheCaseOfTheFirstLetter(t *testing.T) {
	reply := new(greet.GreetResponse)
	err := connection.Invoke(context.Background(), "/greet.GreetService/greet", &greet.GreetRequest{Name: "Ada"}, reply)
	if err != nil || reply.GetGreeting() != "Hello, Ada" {
		t.Fatal(reply, err)
	}
}

func TestAnUnknownGroup(t *testing.T) {
	call := openBare(t, "Greet", "tri-service-group", "nobody")
	call.halfClose()
	err := <-call.answered
	if unknownGroupDropsTheCall {
		if err == nil {
			t.Fatal("an answer", call.response)
		}
		return
	}
	if err != nil || call.response.StatusCode != http.StatusOK {
		t.Fatal(call.response, err)
	}
	_, _ = io.Copy(io.Discard, call.response.Body)
	if code := call.response.Trailer.Get("Grpc-Status"); code != "12" {
		t.Fatal(call.response.Trailer)
	}
}

func TestMetadataArrivesAsItWasSent(t *testing.T) {
	client := with(t, "a", "1", "a", "2", "b-bin", "\x00\xff")
	if _, err := client.unary("Ada"); err != nil {
		t.Fatal(err)
	}
	seen := metadata.MD(client.sawUntil("open")[0].Detail.Metadata)
	if !slices.Equal(seen["a"], []string{"1", "2"}) || !slices.Equal(seen["b-bin"], []string{"AP8"}) {
		t.Fatal(seen)
	}
}

// bareCall is a call by net/http, which leaves the deadline to the server.
type bareCall struct {
	t        *testing.T
	body     *io.PipeWriter
	answered chan error
	response *http.Response
}

func openBare(t *testing.T, method string, pairs ...string) *bareCall {
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, "http://"+connection.Target()+"/greet.GreetService/"+method, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	for i := 0; i < len(pairs); i += 2 {
		request.Header.Add(pairs[i], pairs[i+1])
	}
	cleartext := &http2.Transport{AllowHTTP: true, DialTLSContext: dialCleartext}
	call := &bareCall{t: t, body: writer, answered: make(chan error, 1)}
	go func() {
		response, err := cleartext.RoundTrip(request)
		call.response = response
		call.answered <- err
	}()
	t.Cleanup(cleartext.CloseIdleConnections)
	return call
}

func dialCleartext(_ context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
	return net.Dial(network, address)
}

func (b *bareCall) send(name string) {
	b.t.Helper()
	message, err := proto.Marshal(&greet.GreetRequest{Name: name})
	if err != nil {
		b.t.Fatal(err)
	}
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	if _, err := b.body.Write(append(frame, message...)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bareCall) halfClose() {
	_ = b.body.Close()
}

func (b *bareCall) readToEnd() {
	b.t.Helper()
	if err := <-b.answered; err != nil {
		b.t.Fatal(err)
	}
	defer b.response.Body.Close()
	if _, err := io.Copy(io.Discard, b.response.Body); err != nil {
		b.t.Fatal(err)
	}
}

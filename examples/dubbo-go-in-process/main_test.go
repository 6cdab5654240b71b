package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const page = "http://page.example"

var address string

func TestMain(m *testing.M) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address = free.Addr().String()
	_ = free.Close()
	dubbo, err := newServer(free.Addr().(*net.TCPAddr).Port, []string{page})
	if err != nil {
		panic(err)
	}
	go func() { panic(dubbo.Serve()) }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if connection, err := net.Dial("tcp", address); err == nil {
			_ = connection.Close()
			break
		}
	}
	os.Exit(m.Run())
}

func send(t *testing.T, path, origin, contentType string) (*http.Response, string) {
	t.Helper()
	// A GreetRequest with the name Ada, as a message of gRPC.
	body := append([]byte{0, 0, 0, 0, 5, 10, 3}, "Ada"...)
	request, err := http.NewRequest(http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Origin", origin)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(answer)
}

func TestAPageIsAnsweredOnThePortOfTriple(t *testing.T) {
	response, answer := send(t, "/web/greet.GreetService/Greet", page, "application/grpc-web+proto")
	if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed != page {
		t.Fatalf("allowed origin: %q", allowed)
	}
	if !strings.Contains(answer, "Hello, Ada") || !strings.Contains(answer, "grpc-status: 0") {
		t.Fatalf("%q", answer)
	}
}

func TestABidiCallIsAnsweredInBetweenOverHTTP1(t *testing.T) {
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/web/greet.GreetService/GreetStream", reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/grpc-web+proto")
	go func() { _, _ = writer.Write(append([]byte{0, 0, 0, 0, 5, 10, 3}, "Ada"...)) }()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reply := make([]byte, 5+2+len("Hello, Ada"))
	if _, err := io.ReadFull(response.Body, reply); err != nil || !strings.HasSuffix(string(reply), "Hello, Ada") {
		t.Fatalf("%q %v", reply, err)
	}
	_ = writer.Close()
	rest, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(rest), "Goodbye") || !strings.Contains(string(rest), "grpc-status: 0") {
		t.Fatalf("%q %v", rest, err)
	}
}

func TestAnotherPageIsNotAllowed(t *testing.T) {
	response, _ := send(t, "/web/greet.GreetService/Greet", "http://other.example", "application/grpc-web+proto")
	if allowed := response.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
		t.Fatalf("allowed origin: %q", allowed)
	}
	socket, err := http.NewRequest(http.MethodGet, "http://"+address+"/web/greet.GreetService/GreetStream", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "http://other.example",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "grpc-websockets",
	} {
		socket.Header.Set(name, value)
	}
	response, err = http.DefaultClient.Do(socket)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Fatal(response.Status)
	}
}

func TestWhatIsNotServedSaysSo(t *testing.T) {
	response, _ := send(t, "/web/greet.GreetService/Nothing", page, "application/grpc-web+proto")
	if status := response.Header.Get("Grpc-Status"); status != "12" {
		t.Fatalf("grpc-status %q", status)
	}
	// Neither a page's call nor a method of Triple: it must not go round in circles.
	response, _ = send(t, "/nothing", page, "text/plain")
	if response.StatusCode != http.StatusNotFound {
		t.Fatal(response.Status)
	}
}

func TestTripleItselfIsAsItWas(t *testing.T) {
	response, _ := send(t, "/greet.GreetService/Greet", page, "application/grpc-web+proto")
	if response.StatusCode != http.StatusUnsupportedMediaType {
		t.Fatal(fmt.Sprint("dubbo-go speaks gRPC-Web by itself now: ", response.Status))
	}
}

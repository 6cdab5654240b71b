package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/tidewire/tidewire/tests/peers/greeter/greet"
)

// limit is more than anything here takes, unless it hangs.
const limit = 10 * time.Second

var (
	connection *grpc.ClientConn
	logURL     string
	calls      atomic.Int64
)

func TestMain(m *testing.M) {
	greeter, log, err := start(0, 0, false)
	if err != nil {
		panic(err)
	}
	logURL = "http://" + log + "/observed/"
	connection, err = grpc.NewClient(greeter, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(80<<20)))
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// client makes one call with grpc-go, and reads what the server saw of it.
type client struct {
	t      *testing.T
	id     string
	ctx    context.Context
	cancel context.CancelFunc
}

// with gives a client whose call carries this metadata: name, value, name, value, …
func with(t *testing.T, pairs ...string) *client {
	id := fmt.Sprintf("%s-%d", t.Name(), calls.Add(1))
	ctx := metadata.AppendToOutgoingContext(context.Background(), append(pairs, "x-call-id", id)...)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return &client{t, id, ctx, cancel}
}

func (c *client) deadline(d time.Duration) *client {
	c.ctx, c.cancel = context.WithTimeout(c.ctx, d)
	c.t.Cleanup(c.cancel)
	return c
}

func (c *client) unary(name string, options ...grpc.CallOption) (string, error) {
	reply := new(greet.GreetResponse)
	err := connection.Invoke(c.ctx, "/greet.GreetService/Greet", &greet.GreetRequest{Name: name}, reply, options...)
	return reply.GetGreeting(), err
}

func (c *client) open(method string) *stream {
	c.t.Helper()
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	opened, err := connection.NewStream(c.ctx, description, "/greet.GreetService/"+method)
	if err != nil {
		c.t.Fatal(err)
	}
	return &stream{opened, c}
}

type stream struct {
	grpc.ClientStream
	*client
}

func (s *stream) send(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if err := s.SendMsg(&greet.GreetRequest{Name: name}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stream) receive() (string, error) {
	reply := new(greet.GreetResponse)
	err := s.RecvMsg(reply)
	return reply.GetGreeting(), err
}

func (s *stream) hears(want ...string) {
	s.t.Helper()
	for _, greeting := range want {
		if got, err := s.receive(); err != nil || got != greeting {
			s.t.Fatalf("heard %.80q (%v), not %q", got, err, greeting)
		}
	}
}

func (s *stream) closeSend() {
	s.t.Helper()
	if err := s.CloseSend(); err != nil {
		s.t.Fatal(err)
	}
}

// failure reads to the end, which must not be OK.
func (s *stream) failure() error {
	for {
		if _, err := s.receive(); err != nil {
			return err
		}
	}
}

type seen struct {
	N      int
	What   string
	Detail struct {
		Method, Name, Error string
		Timeout             *string
		Metadata            map[string][]string
		Count, Code         uint64
	}
}

// sawUntil waits for the first event called last, and gives all up to it.
func (c *client) sawUntil(last string) []seen {
	c.t.Helper()
	var all []seen
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		for _, event := range c.fetch(len(all), time.Second) {
			if all = append(all, event); event.What == last {
				return all
			}
		}
	}
	c.t.Fatalf("no %q after %+v", last, all)
	return nil
}

// news gives what the log holds now.
func (c *client) news() []seen { return c.fetch(0, 0) }

func (c *client) fetch(after int, wait time.Duration) []seen {
	c.t.Helper()
	response, err := http.Get(fmt.Sprintf("%s%s?after=%d&wait=%d", logURL, c.id, after, wait.Milliseconds()))
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var news struct{ Events []seen }
	if err := json.NewDecoder(response.Body).Decode(&news); err != nil {
		c.t.Fatal(err)
	}
	return news.Events
}

// saw checks what happened from `open` to `end`.
func (c *client) saw(want string) {
	c.t.Helper()
	if got := c.story(); got != want {
		c.t.Fatalf("the server saw %q, not %q", got, want)
	}
}

func (c *client) story() string {
	c.t.Helper()
	var words []string
	for _, event := range c.sawUntil("end") {
		words = append(words, event.What)
	}
	return strings.Join(words, " ")
}

// ended checks the detail of `end`.
func (c *client) ended(code, count uint64) {
	c.t.Helper()
	events := c.sawUntil("end")
	if end := events[len(events)-1].Detail; end.Code != code || end.Count != count {
		c.t.Fatalf("ended with code %d after %d requests, not %d after %d", end.Code, end.Count, code, count)
	}
}

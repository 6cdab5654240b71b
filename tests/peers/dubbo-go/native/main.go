// The rows of docs/interop.md with dubbo-go's own client, against the greeter of the same version. Prints one line of
// JSON a row: what came of it, in words that do not change from run to run.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

	"github.com/dubbogo/gost/log/logger"

	"github.com/tidewire/tidewire/tests/peers/greeter/greet"

	// The parts of dubbo-go/v3/imports that a client without a registry needs.
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/protocolwrapper"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/triple"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
)

// stays is how long something is watched that is said to stay as it is. It is an observation: nothing waits for it to
// have passed.
const stays = 2 * time.Second

// limit is more than anything here takes that is to end.
const limit = 20 * time.Second

func main() {
	server := flag.String("server", "", "HOST:PORT of the greeter")
	observed := flag.String("observed", "", "HOST:PORT of its log")
	flag.Parse()
	logger.SetLoggerLevel("fatal")

	dubbo, err := client.NewClient(client.WithClientURL("tri://" + *server))
	if err != nil {
		fail(err)
	}
	connection, err := dubbo.DialWithInfo("greet.GreetService", &client.ClientInfo{
		InterfaceName: "greet.GreetService",
		MethodNames:   []string{"Greet", "GreetStream", "GreetClientStream", "GreetServerStream"},
	})
	if err != nil {
		fail(err)
	}

	said := make([]string, len(rows))
	var running sync.WaitGroup
	for i, row := range rows {
		running.Go(func() { said[i] = row.run(&native{connection: connection, log: "http://" + *observed}) })
	}
	running.Wait()
	for i, row := range rows {
		line, _ := json.Marshal(map[string]string{"row": row.name, "says": said[i]})
		fmt.Println(string(line))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "dubbo-go's client:", err)
	os.Exit(1)
}

// native makes the calls of one row.
type native struct {
	connection *client.Connection
	log        string
}

var calls atomic.Int64

// stream is a bidi call, and what the server saw of it.
type stream struct {
	*tri.BidiStreamForClient
	*seen
	cancel context.CancelFunc
}

// open opens a bidi call that asks for a behaviour: name, value, name, value, …
func (n *native) open(ctx context.Context, asked ...string) *stream {
	ctx, saw := n.asking(ctx, asked...)
	ctx, cancel := context.WithCancel(ctx)
	opened, err := n.connection.CallBidiStream(ctx, "GreetStream")
	if err != nil {
		fail(err)
	}
	return &stream{opened.(*tri.BidiStreamForClient), saw, cancel}
}

func (n *native) asking(ctx context.Context, asked ...string) (context.Context, *seen) {
	id := fmt.Sprintf("native-%d-%d", os.Getpid(), calls.Add(1))
	return tri.AppendToOutgoingContext(ctx, append(asked, "x-call-id", id)...), &seen{url: n.log + "/observed/" + id}
}

func (n *native) unary(name string) (string, error) {
	ctx, _ := n.asking(context.Background())
	reply := new(greet.GreetResponse)
	err := n.connection.CallUnary(ctx, []any{&greet.GreetRequest{Name: name}}, reply, "Greet")
	return reply.GetGreeting(), err
}

func (s *stream) send(name string) error {
	return s.Send(&greet.GreetRequest{Name: name})
}

func (s *stream) receive() (string, error) {
	reply := new(greet.GreetResponse)
	err := s.Receive(reply)
	return reply.GetGreeting(), err
}

// conversation sends a name, and hears the answer.
func (s *stream) conversation() {
	if err := s.send("Ada"); err != nil {
		fail(err)
	}
	if reply, err := s.receive(); err != nil || reply != "Hello, Ada" {
		fail(fmt.Errorf("heard %q: %w", reply, err))
	}
}

// begin runs something that may block; what it gave is read with within.
func begin(what func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- what() }()
	return done
}

// receiveUntilBlocked begins a Receive that is to wait for what does not come. There is no event for "it is blocked
// now": it counts as such when it has not returned for a while.
func (s *stream) receiveUntilBlocked() <-chan error {
	done := begin(func() error {
		_, err := s.receive()
		return err
	})
	select {
	case err := <-done:
		fail(fmt.Errorf("receive was to wait, and gave %w", err))
	case <-time.After(stays / 4):
	}
	return done
}

// within says how it went, or that it is still blocked.
func within(done <-chan error, how time.Duration) string {
	select {
	case err := <-done:
		return words(err)
	case <-time.After(how):
		return fmt.Sprintf("still blocked after %v", how)
	}
}
